import Router from "@koa/router";
import { Column, Entity, ManyToOne, PrimaryGeneratedColumn, type Relation } from "typeorm";
import { PrivateFile, PrivateFileColumn, type PrivateFiles } from "typeorm-private-files";

@Entity()
export class Author {
  @PrimaryGeneratedColumn() id!: number;
}

@Entity()
export class Article {
  @PrimaryGeneratedColumn() id!: number;
  @Column({ unique: true, length: 100 }) slug!: string;
  @Column() isPublished!: boolean;
  @ManyToOne(() => Author, { nullable: false }) author!: Relation<Author>;

  @PrivateFileColumn<Article>({
    uploadTo: "articles/%Y",
    relations: { author: true },
    condition: (ctx, article) =>
      article.isPublished || (ctx.state.user != null && article.author?.id === ctx.state.user.id),
    cacheControl: (article) => (article.isPublished ? "public, max-age=600" : "private, no-store"),
  })
  pdf!: PrivateFile;
}

export function articleRoutes(files: PrivateFiles): Router {
  const router = new Router();
  router.get("/articles/:slug/pdf", async (ctx) => {
    const { slug } = ctx.params;
    if (!slug || !/^[a-z0-9-]+$/.test(slug)) return; // Koa answers 404
    const articles = files.dataSource.getRepository(Article);
    const article = await articles.findOne({ where: { slug }, relations: { author: true } });
    if (article) await files.send(ctx, article, "pdf", { filename: `${slug}.pdf` });
  });
  return router;
}
