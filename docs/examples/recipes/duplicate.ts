import { Column, Entity, PrimaryGeneratedColumn, type Repository } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

@Entity()
export class Contract {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
  @PrivateFileColumn({ uploadTo: "contracts/%Y", nullable: true }) document!: PrivateFile | null;
}

export async function duplicate(files: PrivateFiles, contracts: Repository<Contract>, contract: Contract) {
  const { id, document, ...values } = contract; // neither the primary key nor the file may be in two rows
  const copy = contracts.create({ ...values, title: `${values.title} (copy)` });
  if (document) await files.copy(contract, "document", copy, "document");
  return contracts.save(copy);
}
