import { Column, DeleteDateColumn, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** Its invoices are saved and removed with it; one that is taken out of it is deleted. */
@Entity()
export class Folder {
  @PrimaryGeneratedColumn() id!: number;
  @OneToMany(
    () => Invoice,
    (invoice) => invoice.folder,
    { cascade: true },
  )
  invoices!: Relation<Invoice>[];
}

/** An invoice that is taken out of it stays, without a shelf. */
@Entity()
export class Shelf {
  @PrimaryGeneratedColumn() id!: number;
  @OneToMany(
    () => Invoice,
    (invoice) => invoice.shelf,
  )
  invoices!: Relation<Invoice>[];
}

/** The database deletes the invoices of one that it deletes. */
@Entity()
export class Customer {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
export class Invoice {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ default: "" }) title!: string;
  @Column({ type: String, nullable: true, unique: true }) number!: string | null;
  @Column({ default: 1 }) pages!: number;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
  @DeleteDateColumn() deletedAt!: Date | null;
  @ManyToOne(
    () => Folder,
    (folder) => folder.invoices,
    { orphanedRowAction: "delete" },
  )
  folder!: Relation<Folder> | null;
  @ManyToOne(
    () => Shelf,
    (shelf) => shelf.invoices,
    { orphanedRowAction: "nullify" },
  )
  shelf!: Relation<Shelf> | null;
  @ManyToOne(() => Customer, { onDelete: "CASCADE" })
  customer!: Relation<Customer> | null;
}
