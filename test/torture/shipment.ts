import {
  Column,
  DataSource,
  type DataSourceOptions,
  DeleteDateColumn,
  Entity,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
} from "typeorm";
import { Parcel } from "../support/parcel.js";

/** What the torture saves: a parcel that can be removed softly, and that has items. */
@Entity()
export class Shipment extends Parcel {
  @DeleteDateColumn() removedAt!: Date | null;
  @OneToMany(
    () => Item,
    ({ shipment }) => shipment,
    { cascade: ["insert", "update", "remove"] },
  )
  items!: Item[];
}

/** A part of a shipment, with files of its own. */
@Entity()
export class Item extends Parcel {
  @ManyToOne(
    () => Shipment,
    ({ items }) => items,
    { onDelete: "CASCADE", orphanedRowAction: "delete" },
  )
  shipment!: Shipment;
}

/** What one writer alone changes. */
@Entity()
export class Keepsake extends Parcel {
  @Column() owner!: string;
}

/** A key that raw SQL has copied into another row: the only ones that two rows may name. */
@Entity()
export class CopiedKey {
  @PrimaryColumn({ length: 255 }) key!: string;
}

/** All of them, as a data source takes them. */
export const ENTITIES = [Shipment, Item, Keepsake, CopiedKey];

/** Opens a database of them, again if its connection is killed meanwhile. */
export async function openShipments(options: DataSourceOptions, attempts = 5): Promise<DataSource> {
  const dataSource = new DataSource({ ...options, entities: ENTITIES } as DataSourceOptions);
  try {
    return await dataSource.initialize();
  } catch (error) {
    if (attempts === 1) throw error;
    return openShipments(options, attempts - 1);
  }
}
