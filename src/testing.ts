export { describeStorage, type StorageUnderTest } from "./testing/storage-contract.js";
