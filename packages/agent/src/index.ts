export { agent } from "./app/definition.ts";
