import { createHash } from "node:crypto";
import Router from "@koa/router";
import { Column, Entity, ManyToOne, MoreThan, PrimaryColumn, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

@Entity()
export class Contract {
  @PrimaryGeneratedColumn() id!: number;
  @Column() ownerId!: number;
  @PrivateFileColumn<Contract>({
    uploadTo: "contracts/%Y",
    condition: (ctx, contract) => ctx.state.user != null && contract.ownerId === ctx.state.user.id,
  })
  document!: PrivateFile;
}

/** Lets whoever has the token read one contract, until it expires. */
@Entity()
export class Share {
  @PrimaryColumn({ length: 64 }) tokenHash!: string;
  @Column() expiresAt!: Date;
  @ManyToOne(() => Contract, { nullable: false, onDelete: "CASCADE" }) contract!: Relation<Contract>;
}

export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function sharedLinkRoutes(files: PrivateFiles): Router {
  const router = new Router();
  router.get("/shared/:token", async (ctx) => {
    const share = await files.dataSource.getRepository(Share).findOne({
      where: { tokenHash: hashOf(ctx.params.token ?? ""), expiresAt: MoreThan(new Date()) },
      relations: { contract: true },
      cache: false, // whatever the data source says: a share that was revoked must not be found
    });
    if (share) await files.send(ctx, share.contract, "document", { authorized: true });
  });
  return router;
}
