import type { Delivery } from "typeorm-private-files";

export const byNginx: Delivery = {
  ranges: false, // nginx opens the file, and reads the Range header
  async deliver({ ctx, key }) {
    ctx.remove("Accept-Ranges"); // nginx sets its own
    ctx.set("X-Accel-Redirect", `/protected/${key.split("/").map(encodeURIComponent).join("/")}`);
    ctx.body = "";
  },
};
