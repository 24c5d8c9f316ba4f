export { openConnection, readAll } from "../../src/testing/fixture/connection.js";
