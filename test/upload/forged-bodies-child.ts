import { Entity, PrimaryGeneratedColumn } from "typeorm";
import { fromPath, PrivateFile, PrivateFileColumn } from "typeorm-private-files";
import { startApplication } from "../support/application.js";
import { forgedBodies } from "./forged-bodies.js";

/*
 * A process of its own, whose system calls are watched. It tries to attach and to save what each body makes of the first path, then attaches
 * the second path, which it may, and says what came of it.
 */

@Entity()
class Letter {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ nullable: true }) file!: PrivateFile | null;
}

const [, , forbidden, allowed] = process.argv;
const { dataSource, files, close } = await startApplication({ entities: [Letter] });
const codes = new Set<unknown>();
for (const body of Object.values(forgedBodies(forbidden!))) {
  const attaching = files.attach(new Letter(), "file", JSON.parse(body));
  codes.add(await attaching.catch(({ code }) => code));
  const saving = dataSource.manager.save(dataSource.manager.create(Letter, { file: JSON.parse(body) }));
  codes.add(await saving.catch(({ code }) => code));
}
const rows = await dataSource.manager.count(Letter);
const { name } = await files.attach(new Letter(), "file", fromPath(allowed!), { filename: "allowed.txt" });
await close();
process.stdout.write(JSON.stringify({ codes: [...codes], rows, name }));
