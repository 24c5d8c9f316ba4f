import {
  Column,
  Entity,
  type EntityManager,
  EventSubscriber,
  type InsertEvent,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  type RemoveEvent,
  type UpdateEvent,
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
    await count(manager, owner.id, bytes);
  }

  /** A file that replaces another counts by what it has more. Only `save` says what the row had; `update` does not. */
  async beforeUpdate({ entity, databaseEntity, manager }: UpdateEvent<Picture>) {
    const more = databaseEntity && entity?.bytes !== undefined ? entity.bytes - databaseEntity.bytes : 0;
    if (more !== 0) await count(manager, databaseEntity.ownerId, more);
  }

  async afterRemove({ databaseEntity: { ownerId, bytes }, manager }: RemoveEvent<Picture>) {
    await manager.decrement(Member, { id: ownerId }, "usedBytes", bytes);
  }
}

async function count(manager: EntityManager, id: number, bytes: number): Promise<void> {
  const counting = manager
    .createQueryBuilder()
    .update(Member)
    .set({ usedBytes: () => `${manager.connection.driver.escape("usedBytes")} + ${Number(bytes)}` })
    .where("id = :id AND usedBytes <= :rest", { id, rest: QUOTA - bytes });
  if ((await counting.execute()).affected !== 1) throw full();
}

function full(): UploadError {
  return new UploadError("too-large", "Picture.file: the member's quota is used up. Remove other pictures first.");
}
