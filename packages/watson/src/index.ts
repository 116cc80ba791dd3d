export { watson } from "./definition.ts";
