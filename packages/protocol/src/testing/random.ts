import fc from "fast-check";

/**
 * Random input for tests: the same in every run, so that a change is never blamed for what it did not touch, and other
 * input each time in `npm run soak`, which is there to find what nobody looked for. A failure prints its seed.
 */
if (process.env["DSTACK_SOAK"] !== "1") fc.configureGlobal({ seed: 20_260 });

export default fc;
