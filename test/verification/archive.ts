import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  type ObjectLiteral,
  PrimaryGeneratedColumn,
  TableInheritance,
} from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";
import { sqljs, type TestDatabase } from "../support/databases.js";
import { MemoryStorage } from "../support/memory-storage.js";
import { openSweepFixture, type SweepFixture } from "../support/sweep-fixture.js";

@Entity()
export class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: "bigint", nullable: true }) bytes!: number | null;
  @Column({ type: "varchar", length: 64, nullable: true, select: false }) digest!: string | null;
  @DeleteDateColumn() deletedAt!: Date | null;
  @PrivateFileColumn<Letter>({ uploadTo: "letters", nullable: true, fields: { size: "bytes", sha256: "digest" } })
  scan!: PrivateFile | null;
}

@Entity()
export class Contract {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @Column({ length: 64, default: "" }) draftDigest!: string;
  @Column({ length: 64, default: "" }) finalDigest!: string;
  @PrivateFileColumn<Contract>({ uploadTo: "drafts", nullable: true, fields: { sha256: "draftDigest" } })
  draft!: PrivateFile | null;
  @PrivateFileColumn<Contract>({ uploadTo: "finals", nullable: true, fields: { sha256: "finalDigest" } })
  final!: PrivateFile | null;
}

class Portrait {
  @Column({ type: "varchar", length: 80, nullable: true }) digest!: string | null;
  @PrivateFileColumn<Portrait>({ uploadTo: "portraits", nullable: true, fields: { sha256: "digest" } })
  image!: PrivateFile | null;
}

@Entity()
export class Person {
  @PrimaryGeneratedColumn() id!: number;
  @Column(() => Portrait) portrait!: Portrait;
}

/** Where songs are. */
export const elsewhere = new MemoryStorage();

@Entity()
@TableInheritance({ column: { type: "varchar", name: "kind" } })
export class Medium {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: "varchar", length: 64, nullable: true }) digest!: string | null;
  @PrivateFileColumn<Medium>({ uploadTo: "media", nullable: true, fields: { sha256: "digest" } })
  file!: PrivateFile | null;
}

@ChildEntity()
export class Film extends Medium {
  @Column({ type: "varchar", length: 64, nullable: true, select: false }) posterDigest!: string | null;
  @PrivateFileColumn<Film>({ uploadTo: "posters", nullable: true, fields: { sha256: "posterDigest" } })
  poster!: PrivateFile | null;
}

/** It keeps the digest elsewhere than its parent. */
@ChildEntity()
export class Song extends Medium {
  @Column({ type: "varchar", length: 64, nullable: true }) recording!: string | null;
  @PrivateFileColumn<Song>({
    ...{ uploadTo: "songs", nullable: true, storage: elsewhere },
    fields: { sha256: "recording" },
  })
  declare file: PrivateFile | null;
}

/** It shares the column of its parent, and keeps no digest. */
@ChildEntity()
export class Sketch extends Medium {
  @PrivateFileColumn<Sketch>({ uploadTo: "sketches", nullable: true }) declare file: PrivateFile | null;
}

@Entity()
export class Memo {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ type: "int", nullable: true }) bytes!: number | null;
  @PrivateFileColumn<Memo>({ uploadTo: "memos", nullable: true, fields: { size: "bytes" } })
  file!: PrivateFile | null;
}

/** Nothing says which bytes its files have. */
@Entity()
export class Plain {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "plain", nullable: true }) file!: PrivateFile | null;
}

const entities = [Letter, Contract, Person, Medium, Film, Song, Sketch, Memo, Plain];

/** A database and a storage, in which uploads are saved and then harmed. */
export interface Archive extends SweepFixture {
  /** Saves a row with a file of these bytes in each of some properties. */
  add<E extends ObjectLiteral>(entity: new () => E, files: Record<string, string>): Promise<E>;
  /** Writes other bytes in the place of a file, as no program should. */
  harm(file: PrivateFile | null, content: string): Promise<void>;
}

export async function openArchive(database: TestDatabase = sqljs): Promise<Archive> {
  elsewhere.objects.clear();
  const fixture = await openSweepFixture({ entities }, database);
  const added = {
    async add<E extends ObjectLiteral>(entity: new () => E, contents: Record<string, string>): Promise<E> {
      const row = fixture.dataSource.manager.create(entity);
      for (const [path, content] of Object.entries(contents)) await attach(fixture.files, row, path, content);
      return fixture.dataSource.manager.save(row);
    },
    async harm(file: PrivateFile | null, content: string): Promise<void> {
      const { key } = file!;
      const object = elsewhere.objects.get(key);
      if (object) object.bytes = Buffer.from(content);
      else await writeFile(fixture.storage.path(key), content);
    },
  };
  return Object.defineProperties(fixture, Object.getOwnPropertyDescriptors(added)) as Archive;
}

async function attach(files: PrivateFiles, row: ObjectLiteral, path: string, content: string): Promise<void> {
  if (path === "portrait.image") row.portrait = new Portrait();
  await files.attach(row, path, Buffer.from(content), { filename: "a.txt" });
}

/** The digest of a text, as `attach` writes it. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
