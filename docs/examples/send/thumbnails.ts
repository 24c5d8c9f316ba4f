import Router from "@koa/router";
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";
import {
  PrivateFile,
  PrivateFileColumn,
  type PrivateFileColumnOptions,
  type PrivateFiles,
} from "typeorm-private-files";

const ofOwner: PrivateFileColumnOptions<Photo> = {
  uploadTo: "photos",
  condition: (ctx, photo) => ctx.state.user != null && photo.ownerId === ctx.state.user.id,
};

@Entity()
export class Photo {
  @PrimaryGeneratedColumn("uuid") id!: string;
  @Column() ownerId!: number;
  @PrivateFileColumn<Photo>(ofOwner) original!: PrivateFile;
  @PrivateFileColumn<Photo>({ ...ofOwner, nullable: true }) thumbnail!: PrivateFile | null;
}

export function thumbnailRoutes(files: PrivateFiles): Router {
  const router = new Router();
  router.get("/photos/:id/thumbnail", async (ctx) => {
    const { id } = ctx.params;
    if (!id || !/^[0-9a-f-]{36}$/.test(id)) return;
    const photo = await files.dataSource.getRepository(Photo).findOneBy({ id });
    if (!photo) return;
    const options = { attachment: false, cacheControl: "private, max-age=3600" };
    await files.send(ctx, photo, photo.thumbnail ? "thumbnail" : "original", options);
  });
  return router;
}
