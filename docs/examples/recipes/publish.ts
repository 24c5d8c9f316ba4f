import { Column, type DataSource, Entity, PrimaryGeneratedColumn } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

@Entity()
export class Draft {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @PrivateFileColumn({ uploadTo: "drafts" }) text!: PrivateFile;
}

@Entity()
export class Publication {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @PrivateFileColumn({ uploadTo: "publications/%Y", condition: () => true }) text!: PrivateFile;
}

export async function publish(files: PrivateFiles, dataSource: DataSource, draft: Draft): Promise<Publication> {
  const publication = dataSource.manager.create(Publication, { title: draft.title });
  await files.copy(draft, "text", publication, "text"); // no transaction waits for it
  await dataSource.transaction(async (manager) => {
    await manager.save(publication);
    await manager.remove(draft);
  }); // the commit deletes the draft's file; after a rollback the draft has it as before
  return publication;
}
