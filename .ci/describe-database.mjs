// Says which server a URL names. Fails when it does not answer, or does not let the tests create a database of their own.
import { randomBytes } from "node:crypto";
import { DataSource } from "typeorm";

const [url] = process.argv.slice(2);
const type = url.startsWith("postgres") ? "postgres" : "mariadb";
const server = await new DataSource({ type, url, connectTimeoutMS: 5000 }).initialize();
const name = `private_files_${randomBytes(8).toString("hex")}`;
await server.query(`CREATE DATABASE ${name}`);
await server.query(`DROP DATABASE ${name}`);
const [{ version }] = await server.query("SELECT version() AS version");
console.log(`${url}: ${version}`);
await server.destroy();
