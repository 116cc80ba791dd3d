#!/usr/bin/env node
import "./small-heap.ts";
import { runDaemon } from "@datawire/runtime";
import { watson } from "./definition.ts";

process.exitCode = await runDaemon(watson);
