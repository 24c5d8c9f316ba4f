import {
  Column,
  Entity,
  EventSubscriber,
  type InsertEvent,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  type RemoveEvent,
} from "typeorm";
import {
  type BeforeAttachEvent,
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileSubscriber,
  UploadError,
} from "typeorm-private-files";

/** How many bytes a member may keep. */
export const QUOTA = 100 * 1024 ** 2;

@Entity()
export class Member {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: 0 }) usedBytes!: number;
}

@Entity()
export class Picture {
  @PrimaryGeneratedColumn() id!: number;
  @Column() ownerId!: number;
  @ManyToOne(() => Member) owner!: Relation<Member>;
  @Column() bytes!: number;
  @PrivateFileColumn<Picture>({ fields: { size: "bytes" }, relations: { owner: true } }) file!: PrivateFile;
}

@EventSubscriber()
export class Quota implements PrivateFileSubscriber<Picture> {
  listenTo() {
    return Picture;
  }

  /** A first look, which refuses most uploads before they are kept. */
  async beforeAttach({ entity, file, manager }: BeforeAttachEvent<Picture>) {
    const { usedBytes } = await manager.findOneByOrFail(Member, { id: entity.owner.id });
    if (usedBytes + file.size > QUOTA) throw full();
  }

  /** Two uploads at once may both have passed the first look: one statement counts, and lets only one of them through. */
  async beforeInsert({ entity: { owner, bytes }, manager }: InsertEvent<Picture>) {
    const counting = manager
      .createQueryBuilder()
      .update(Member)
      .set({ usedBytes: () => `${manager.connection.driver.escape("usedBytes")} + ${Number(bytes)}` })
      .where("id = :id AND usedBytes <= :rest", { id: owner.id, rest: QUOTA - bytes });
    if ((await counting.execute()).affected !== 1) throw full();
  }

  async afterRemove({ databaseEntity: { ownerId, bytes }, manager }: RemoveEvent<Picture>) {
    await manager.decrement(Member, { id: ownerId }, "usedBytes", bytes);
  }
}

function full(): UploadError {
  return new UploadError("too-large", "Picture.file: the member's quota is used up. Remove other pictures first.");
}
