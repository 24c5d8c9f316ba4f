import Router from "@koa/router";

const COLUMNS = new Map([
  ["app/filesubmission/uploaded_file", "/private-files/file-submission/uploaded-file"],
  ["app/counteddownload/downloadable", "/private-files/counted-download/downloadable"],
]);

export function oldLinks(): Router {
  const router = new Router();
  router.get("/private_files/:app/:model/:field/:id/:name", (ctx) => {
    const { app, model, field, id, name } = ctx.params;
    const path = COLUMNS.get(`${app}/${model}/${field}`);
    if (path) ctx.redirect(`${path}/${encoded(id!)}/${encoded(name!)}`);
  });
  return router;
}

// As files.url() encodes: encodeURIComponent leaves these five characters, and so does Django.
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
