import { endpoints } from "@datawire/api";
import { formatDirectoryAddress } from "@datawire/protocol";
import type { ExitCode } from "@datawire/runtime";
import { describeSilence } from "@datawire/link/client";
import { type StatusSection, printStatus } from "./print-status.ts";
import { type RunCommand, flag } from "../../context/dw.ts";

/** How everything stands, problems first; with several addresses, a section for each. */
export const run: RunCommand = async (dw, input): Promise<ExitCode | void> => {
  const sections = await Promise.all(
    dw.directories.map(async (directory): Promise<StatusSection & { readonly failure: unknown }> => {
      const address = formatDirectoryAddress(directory);
      try {
        const status = await dw.clientOf(directory).ask(endpoints.status);
        return { address, status, error: null, failure: null };
      } catch (failure) {
        return { address, status: null, error: describeSilence(failure), failure };
      }
    }),
  );
  // One error decides the exit code when there is nothing but errors.
  if (sections.every(({ status }) => status === null)) throw sections[0]?.failure;
  if (flag(input, "json")) {
    return dw.output.json(sections.map(({ address, status, error }) => ({ address, status, error })));
  }
  printStatus(dw.output, sections, dw.clock.nowMs());
};
