// What a simulation makes routers of.
export { MemoryRouter } from "./memory-router.ts";
export { SimulatedDisk } from "../log/testing/simulated-disk.ts";
