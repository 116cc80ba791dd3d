#!/usr/bin/env node
import { keepCompiledCode } from "./io/compile-cache.ts";

keepCompiledCode(process.env); // which holds for what is imported from here on
const { runProcess } = await import("./app/run-process.ts");
await runProcess();
