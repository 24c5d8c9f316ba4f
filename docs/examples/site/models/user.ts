import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";

/** Someone who can sign in. */
@Entity()
export class User {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ length: 100, unique: true })
  name!: string;
}
