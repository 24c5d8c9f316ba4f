export { eventually, LONGEST_WAIT } from "../../src/testing/fixture/eventually.js";
