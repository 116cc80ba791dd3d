import { check } from "@datawire/runtime";
import { expect, test } from "vitest";
import { storeSetting } from "./store-settings.ts";

test.each([
  ["foo", 'the document is "foo": wanted embedded, or { etcd: [http://HOST:2379, …] }'],
  [
    { etcd: ["http://10.0.0.1:2379", "10.0.0.2:2379"] },
    'etcd[1] is "10.0.0.2:2379": it begins with neither http:// nor https://; wanted the URL of a member of etcd, such as http://10.0.0.1:2379',
  ],
  [
    { etcd: { endpoints: ["http://10.0.0.1:2379"], prefix: "a b" } },
    'etcd.prefix is "a b": wanted names of A-Z a-z 0-9 _ . -, separated by slashes',
  ],
  [
    { etcd: { endpoints: ["http://10.0.0.1:2379"], prefx: "a" } },
    "etcd.prefx is not a known key: did you mean prefix?",
  ],
])("the store %j is refused where it is wrong", (input, message) => {
  expect(check(storeSetting, input)).toMatchObject({ ok: false, findings: [{ message }] });
});

test("the store takes a list of members of etcd as its short form", () => {
  expect(storeSetting.parse({ etcd: ["http://10.0.0.1:2379/"] })).toEqual({
    etcd: { endpoints: ["http://10.0.0.1:2379"], prefix: "datawire" },
  });
});
