import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";

/** Someone who can sign in. */
@Entity()
export class User {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ length: 100, unique: true })
  name!: string;

  /** How often this person has signed out. A session says the number at its start, so that a copy of its cookie ends with it. */
  @Column({ default: 0 })
  signOuts!: number;
}
