import "./node-version.js";

export { type DeliverySuiteOptions, describeDelivery, type MakeDelivery } from "./testing/delivery-contract.js";
export { describeStorage, type StorageUnderTest } from "./testing/storage-contract.js";
