import * as typeorm from "typeorm";
import {
  ChildEntity,
  Column,
  Entity,
  EntitySchema,
  JoinColumn,
  ManyToMany,
  ManyToOne,
  OneToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  TableInheritance,
  Tree,
  TreeChildren,
  TreeParent,
} from "typeorm";
import { PrivateFile, PrivateFileColumn, privateFileColumn } from "typeorm-private-files";

/** It has no file, and knows nothing of what refers to it. */
@Entity()
export class Firm {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ unique: true }) code!: string;
}

/** It has no file either, but leads to some. */
@Entity()
export class Department {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @ManyToOne(() => Firm, { onDelete: "CASCADE" }) firm!: Relation<Firm>;
}

@Entity()
export class Contract {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Department, { onDelete: "CASCADE" }) department!: Relation<Department>;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

/** It refers to a column that is not the primary key. */
@Entity()
export class Logo {
  @PrimaryGeneratedColumn() id!: number;
  @OneToOne(() => Firm, { onDelete: "CASCADE" })
  @JoinColumn({ name: "firmCode", referencedColumnName: "code" })
  firm!: Relation<Firm>;
  @PrivateFileColumn({ nullable: true }) image!: PrivateFile | null;
}

/** It has a foreign key without a relation. */
@Entity()
export class Permit {
  @PrimaryGeneratedColumn() id!: number;
  @ForeignKeyToFirm()
  @Column()
  firmId!: number;
  @PrivateFileColumn({ nullable: true }) scan!: PrivateFile | null;
}

/** The database deletes it, too, but no file is behind it. */
@Entity()
export class Phone {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Firm, { onDelete: "CASCADE" }) firm!: Relation<Firm>;
}

/** It outlives its firm. */
@Entity()
export class Report {
  @PrimaryGeneratedColumn() id!: number;
  @ManyToOne(() => Firm, { onDelete: "SET NULL", nullable: true }) firm!: Relation<Firm> | null;
  @ManyToMany(() => Firm) readers!: Relation<Firm>[];
  @PrivateFileColumn({ nullable: true }) text!: PrivateFile | null;
}

@Entity()
export class Site {
  @PrimaryColumn() country!: string;
  @PrimaryColumn() number!: number;
  @ManyToOne(() => Firm, { onDelete: "CASCADE" }) firm!: Relation<Firm>;
}

/** Its foreign key has two columns, and so has its primary key. */
@Entity()
@TableInheritance({ column: { type: String, name: "kind" } })
export class Drawing {
  @PrimaryColumn() sheet!: string;
  @PrimaryColumn() version!: number;
  @PrivateFileColumn({ nullable: true }) plan!: PrivateFile | null;
}

@ChildEntity()
export class SiteDrawing extends Drawing {
  @ManyToOne(() => Site, { onDelete: "CASCADE", nullable: true }) site!: Relation<Site> | null;
  @PrivateFileColumn({ nullable: true, select: false }) key?: PrivateFile | null;
}

export interface Club {
  id: number;
}

/** TypeORM does not relate a schema to a decorated class. */
export const ClubSchema = new EntitySchema<Club>({
  name: "Club",
  columns: { id: { type: Number, primary: true, generated: true } },
});

export interface Badge {
  id: number;
  club: Club;
  photo: PrivateFile | null;
}

export const BadgeSchema = new EntitySchema<Badge>({
  name: "Badge",
  columns: {
    id: { type: Number, primary: true, generated: true },
    photo: privateFileColumn<Badge>({ nullable: true }),
  },
  relations: { club: { type: "many-to-one", target: "Club", onDelete: "CASCADE" } },
});

/** A tree of rows; each may have a second parent. */
@Entity()
export class Comment {
  @PrimaryColumn() id!: string;
  @ManyToOne(() => Comment, { onDelete: "CASCADE", nullable: true }) parent!: Relation<Comment> | null;
  @ManyToOne(() => Comment, { onDelete: "CASCADE", nullable: true }) quoted!: Relation<Comment> | null;
  @PrivateFileColumn({ nullable: true }) picture!: PrivateFile | null;
}

/** A tree with a table of its own for its ancestors. */
@Entity()
@Tree("closure-table")
export class Box {
  @PrimaryGeneratedColumn() id!: number;
  @TreeParent({ onDelete: "CASCADE" }) parent!: Box | null;
  @TreeChildren() children!: Box[];
  @PrivateFileColumn({ nullable: true }) photo!: PrivateFile | null;
}

/** TypeORM has foreign keys without a relation since 0.3.23; before, a relation makes the same one. */
function ForeignKeyToFirm(): PropertyDecorator {
  return (target, property) => {
    const name = String(property);
    if ("ForeignKey" in typeorm) return typeorm.ForeignKey(() => Firm, { onDelete: "CASCADE" })(target, name);
    ManyToOne(() => Firm, { onDelete: "CASCADE" })(target, "firm");
    JoinColumn({ name })(target, "firm");
  };
}

/** All of them, in an order in which their rows can be deleted. */
export const families = [
  ...[Contract, Logo, Permit, Phone, Report, Drawing, SiteDrawing, Site, Department],
  ...[BadgeSchema, ClubSchema, Firm, Comment, Box],
];
