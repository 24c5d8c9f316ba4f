import { Column, Entity, type EntitySubscriberInterface, PrimaryGeneratedColumn, type UpdateEvent } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

@Entity()
export class Report {
  @PrimaryGeneratedColumn() id!: number;
  @PrivateFileColumn({ uploadTo: "reports", nullable: true }) document!: PrivateFile | null;
}

@Entity()
export class ReportVersion {
  @PrimaryGeneratedColumn() id!: number;
  @Column() reportId!: number;
  @PrivateFileColumn({ uploadTo: "reports/versions" }) document!: PrivateFile;
}

/** Register it once the data source is initialized: `dataSource.subscribers.push(new KeepVersions(files))`. */
export class KeepVersions implements EntitySubscriberInterface<Report> {
  constructor(private readonly files: PrivateFiles) {}

  listenTo() {
    return Report;
  }

  async beforeUpdate({ entity, databaseEntity, manager }: UpdateEvent<Report>): Promise<void> {
    if (!databaseEntity?.document || entity?.document === undefined) return;
    if (entity.document?.key === databaseEntity.document.key) return;
    const version = manager.create(ReportVersion, { reportId: databaseEntity.id });
    await this.files.copy(databaseEntity, "document", version, "document");
    await manager.save(version); // in the transaction of the update: a rollback undoes both
  }
}
