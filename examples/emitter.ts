import { serve } from "./service.ts";

/** `emitter` says who it is: which instance answered, and in which version. */
serve(async ({ name, version }) => ({ service: "emitter", instance: name, version, text: "hello, world" }));
