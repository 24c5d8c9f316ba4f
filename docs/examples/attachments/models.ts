import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  ManyToOne,
  OneToMany,
  PrimaryGeneratedColumn,
  type Relation,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

@Entity()
export class Message {
  @PrimaryGeneratedColumn() id!: number;
  @Column() sender!: string;
  @Column() recipient!: string;
  @Column() text!: string;
  @OneToMany(
    () => Attachment,
    ({ message }) => message,
  )
  attachments!: Relation<Attachment[]>;
}

/** All files of the application. One that was uploaded first has no message until it is claimed. */
@Entity()
export class Attachment {
  @PrimaryGeneratedColumn() id!: number;
  @Column() owner!: string;
  @CreateDateColumn() createdAt!: Date;
  @Index()
  @ManyToOne(
    () => Message,
    ({ attachments }) => attachments,
    { onDelete: "CASCADE" },
  )
  message!: Relation<Message> | null;
  @Column({ default: false }) isExpired!: boolean;
  @Column({ default: "" }) name!: string;
  @Column({ default: 0 }) size!: number;
  @Column({ nullable: true, type: String }) type!: string | null;

  @PrivateFileColumn<Attachment>({
    uploadTo: "attachments/%Y/%m",
    maxSize: 20e6,
    fields: { name: "name", size: "size", type: "type" },
    relations: { message: true },
    condition: (ctx, attachment) => ctx.state.user != null && mayRead(ctx.state.user.name, attachment),
  })
  file!: PrivateFile;
}

/** The message decides; without one, the uploader alone. */
function mayRead(user: string, { owner, message }: Attachment): boolean {
  return message ? user === message.sender || user === message.recipient : user === owner;
}
