import { emptyChange, type TableChange } from "@datawire/protocol";
import { expect, test } from "vitest";
import { DeltaLog } from "../feed/delta-log.ts";
import { type ServicesSource, servicesTopic } from "./services-topic.ts";

/** Services of which a row is its name and how often it was looked at. */
function world(names: readonly string[]) {
  const log = new DeltaLog("e", { revisionsMax: 3, bytesMax: 1_000_000 });
  const there = new Set(names);
  const rates = new Map<string, number>();
  const findings = new Map<string, string>();
  const looked: string[] = [];
  let step = 0;
  const source: ServicesSource = {
    whole: () => ({ services: [...there] }),
    rows: (wanted) =>
      wanted.map((name) => {
        looked.push(name);
        return there.has(name) ? { service: name } : null;
      }),
    names: () => there,
    traffic: (name) => rates.get(name) ?? null,
    trafficVersion: () => step,
    extra: () => new Map(findings),
    revision: () => log.revision,
    after: (revision) => log.after(revision),
  };
  return {
    source,
    looked,
    there,
    findings,
    change: (change: Partial<TableChange>) => log.append({ ...emptyChange(), ...change }, { atMs: 0 }),
    count(name: string, rate: number) {
      rates.set(name, rate);
      step += 1;
    },
  };
}

const gone = (more: Partial<TableChange["gone"]>) => ({ gone: { ...emptyChange().gone, ...more } });

test("servicesTopic() looks at those alone that revisions name, however", () => {
  const { source, change, looked, there } = world(["a", "b", "c", "d"]);
  const topic = servicesTopic(source);
  expect(topic.changes()).toBeNull();
  change(gone({ instances: ["a@x"] }));
  change(gone({ tables: ["shop>b"] }));
  there.delete("c");
  change(gone({ services: ["c"] }));
  expect(topic.changes()).toEqual({ changed: [{ service: "a" }, { service: "b" }], gone: ["c"] });
  expect(looked).toEqual(["a", "b", "c"]);
  expect(topic.changes()).toBeNull();
});

test("servicesTopic() looks at all where revisions are no longer kept", () => {
  const { source, change, looked } = world(["a", "b"]);
  const topic = servicesTopic(source);
  for (let i = 0; i < 5; i++) change(gone({ instances: [`a@${i}`] }));
  topic.changes();
  expect(looked).toEqual(["a", "b"]);
});

test("servicesTopic() tells of traffic alone where nothing else has changed", () => {
  const { source, count, change } = world(["a", "b"]);
  const topic = servicesTopic(source);
  count("a", 3);
  expect(topic.changes()).toEqual({ changed: [{ service: "a", traffic: 3 }], gone: [] });
  count("a", 3);
  expect(topic.changes()).toBeNull();
  count("a", 4);
  change(gone({ instances: ["a@x"] }));
  expect(topic.changes()).toEqual({ changed: [{ service: "a" }], gone: [] });
});

test("servicesTopic() looks again where proxies find something, and where they find it no more", () => {
  const { source, findings } = world(["a", "b"]);
  const topic = servicesTopic(source);
  findings.set("b", "unreachable");
  expect(topic.changes()).toEqual({ changed: [{ service: "b" }], gone: [] });
  findings.clear();
  expect(topic.changes()).toEqual({ changed: [{ service: "b" }], gone: [] });
});

test("servicesTopic() from an older revision tells what changed since, and all traffic, which has no revisions", () => {
  const { source, change, count } = world(["a", "b"]);
  count("b", 7);
  const from = source.revision();
  change(gone({ instances: ["a@x"] }));
  const { changed } = servicesTopic(source, from).changes() ?? { changed: [] };
  expect(changed).toEqual([{ service: "a" }, { service: "b", traffic: 7 }]);
});
