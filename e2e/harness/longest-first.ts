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

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = moduleId.includes("/e2e/") ? LONGEST.indexOf(basename(moduleId)) : -1;
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
