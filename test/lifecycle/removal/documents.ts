import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { needsTypeOrm } from "../../support/typeorm.js";

/** It has no file. */
@Entity()
export class Client {
  @PrimaryColumn() id!: number;
  @Column() title!: string;
  @DeleteDateColumn() deletedAt!: Date | null;
}

/** Its lines are loaded with it, and removed with it: by TypeORM, and where TypeORM 0.3 does not do that, by the database. */
@Entity()
export class Bill {
  @PrimaryColumn() id!: number;
  @Column() title!: string;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
  @DeleteDateColumn() deletedAt!: Date | null;
  @ManyToOne(() => Client, { nullable: true }) client!: Relation<Client> | null;
  @OneToMany(
    () => Line,
    (line) => line.bill,
    { cascade: true, eager: true },
  )
  lines!: Relation<Line>[];
}

@Entity()
export class Line {
  @PrimaryGeneratedColumn() id!: number;
  @Column() text!: string;
  @PrivateFileColumn({ nullable: true }) photo!: PrivateFile | null;
  @ManyToOne(
    () => Bill,
    (bill) => bill.lines,
    needsTypeOrm("1.0.0") ? { onDelete: "CASCADE" } : {},
  )
  bill!: Relation<Bill> | null;
}

class Address {
  @Column() city!: string;
  @PrivateFileColumn({ nullable: true }) plan!: PrivateFile | null;
}

@Entity()
export class House {
  @PrimaryColumn({ select: false }) id!: string;
  @Column() title!: string;
  @Column(() => Address) address!: Address;
}

@Entity()
export class Package {
  @PrimaryColumn() country!: string;
  @PrimaryColumn() number!: number;
  @Column() title!: string;
  @PrivateFileColumn({ nullable: true }) label!: PrivateFile | null;
}

/** One for each client. */
@Entity()
export class Account {
  @PrimaryColumn() clientId!: number;
  @ManyToOne(() => Client)
  @JoinColumn({ name: "clientId" })
  client!: Relation<Client>;
  @Column() title!: string;
  @PrivateFileColumn({ nullable: true }) statement!: PrivateFile | null;
}

/** It has no file: a date can't stand in a URL. */
@Entity()
export class Day {
  @PrimaryColumn({ type: Date }) date!: Date;
  @Column() title!: string;
}

/** Its primary key is an object in code, and a text in the database. */
@Entity()
export class Certificate {
  @PrimaryColumn({
    type: String,
    transformer: { from: (text: string) => new URL(text), to: (url: URL) => url.href },
  })
  url!: URL;
  @Column() title!: string;
  @PrivateFileColumn({ nullable: true }) seal!: PrivateFile | null;
}

@Entity()
@TableInheritance({ column: { type: String, name: "kind" } })
export class Work {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @Column() title!: string;
  @PrivateFileColumn({ nullable: true }) cover!: PrivateFile | null;
}

@ChildEntity()
export class Book extends Work {
  @PrivateFileColumn({ nullable: true }) text!: PrivateFile | null;
}

@ChildEntity()
export class Novel extends Book {
  @PrivateFileColumn({ nullable: true }) blurb!: PrivateFile | null;
}

/** All of them, in an order in which their rows can be deleted. */
export const documents = [Account, Line, Bill, Client, House, Package, Day, Certificate, Work, Book, Novel];
