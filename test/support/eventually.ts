export { eventually } from "../../src/testing/fixture/eventually.js";
