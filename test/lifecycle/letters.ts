import {
  AfterInsert,
  AfterUpdate,
  BeforeUpdate,
  Column,
  DeleteDateColumn,
  Entity,
  type EntitySubscriberInterface,
  EventSubscriber,
  type InsertEvent,
  PrimaryGeneratedColumn,
  type RemoveEvent,
  type UpdateEvent,
} from "typeorm";
import { PrivateFile, PrivateFileColumn } from "typeorm-private-files";

/** What the listeners of {@link Letter} and a subscriber after the package's do in a test. */
export interface Reactions {
  onBeforeUpdate?(letter: Letter): unknown;
  onAfterInsert?(letter: Letter): unknown;
  onAfterUpdate?(letter: Letter): unknown;
  beforeInsert?(event: InsertEvent<Letter>): unknown;
  beforeUpdate?(event: UpdateEvent<Letter>): unknown;
  beforeRemove?(event: RemoveEvent<Letter>): unknown;
}

/** Set by a test, emptied before each. */
export const reactions: Reactions = {};

/** A row with two files, listeners, and a title that no other row may have. */
@Entity()
export class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: String, length: 100, nullable: true, unique: true }) title!: string | null;
  @PrivateFileColumn({ uploadTo: "scans", nullable: true }) scan!: PrivateFile | null;
  @PrivateFileColumn({ uploadTo: "photos", nullable: true }) photo!: PrivateFile | null;
  @DeleteDateColumn() deletedAt!: Date | null;

  @BeforeUpdate() onBeforeUpdate(): unknown {
    return reactions.onBeforeUpdate?.(this);
  }

  @AfterInsert() onAfterInsert(): unknown {
    return reactions.onAfterInsert?.(this);
  }

  @AfterUpdate() onAfterUpdate(): unknown {
    return reactions.onAfterUpdate?.(this);
  }
}

/** A subscriber of the application: it comes after those of the package. */
@EventSubscriber()
export class LaterSubscriber implements EntitySubscriberInterface<Letter> {
  listenTo(): typeof Letter {
    return Letter;
  }

  beforeInsert(event: InsertEvent<Letter>): Promise<void> {
    return reactions.beforeInsert?.(event) as Promise<void>;
  }

  beforeUpdate(event: UpdateEvent<Letter>): Promise<void> {
    return reactions.beforeUpdate?.(event) as Promise<void>;
  }

  beforeRemove(event: RemoveEvent<Letter>): Promise<void> {
    return reactions.beforeRemove?.(event) as Promise<void>;
  }
}
