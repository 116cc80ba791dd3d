import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files of end-to-end tests that take half a minute and more, longest first: begun last, one of them would run
 * alone at the end. Vitest knows only of the runs before, and of none in a clean clone; by size, its other measure, two
 * of the longest come last.
 */
const LONGEST = [
  "docs.test.ts",
  "packages.test.ts",
  "rollout-replicas.test.ts",
  "silence.test.ts",
  "demo.test.ts",
  "shares.test.ts",
  "console-hooks.test.ts",
  "contract-forms.test.ts",
  "console-actions.test.ts",
  "replication.test.ts",
  "no-request-lost.test.ts",
  "rollout-sources.test.ts",
  "access.test.ts",
  "three-hosts.test.ts",
  "messaging-languages.test.ts",
];

/** As much of the unit tests: the two that take longest are small files, and were begun last. */
const LONGEST_UNITS = [
  "simulation/src/runs/simulation.test.ts",
  "simulation/src/messaging/messages.test.ts",
  "sherlock/src/behaviour/turns.test.ts",
  "sherlock/src/behaviour/sessions-agreement.test.ts",
  "dw-cli/src/app/run-process.test.ts",
  "scripts/samples.test.ts",
  "dw-cli/src/app/refusals.test.ts",
  "sherlock/src/driver/driver.test.ts",
  "sherlock/src/behaviour/sessions.test.ts",
  "sherlock/src/behaviour/spares.test.ts",
  "directory/src/store/etcd/etcd-outages.test.ts",
  "directory/src/store/embedded/embedded.test.ts",
  "sherlock/src/behaviour/whole-revisions.test.ts",
  "scripts/messages.test.ts",
  "dw-cli/src/app/fuzz.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const places = new Map(files.map((file) => [file, placeOf(file.moduleId)]));
    const place = (file: TestSpecification): number => places.get(file) ?? Number.POSITIVE_INFINITY;
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

function placeOf(path: string): number {
  const at = path.includes("/e2e/")
    ? LONGEST.indexOf(basename(path))
    : LONGEST_UNITS.findIndex((unit) => path.endsWith(`/${unit}`));
  return at < 0 ? Math.max(LONGEST.length, LONGEST_UNITS.length) : at;
}
