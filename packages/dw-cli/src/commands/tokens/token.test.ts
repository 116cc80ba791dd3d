import { expect, test } from "vitest";
import { ago, run } from "../../testing/run.ts";

const token = {
  id: "1a2b3c4d",
  role: "watson",
  services: ["billing-*"],
  tenant: null,
  created: ago(60_000),
  createdBy: "admin token 5e6f7a8b (ann@laptop)",
  expires: null,
  expired: false,
};

test("dw token create prints the token alone on stdout, and what it is beside it", async () => {
  const answers = { "POST /v1/tokens": { ...token, token: "dw1_secret" } };
  const { stdout, stderr, asked, code } = await run("token create --role watson --services 'billing-*' --expires 1h", {
    answers,
  });
  expect(asked).toEqual([
    'POST /v1/tokens {"role":"watson","services":["billing-*"],"send":null,"listen":null,"expires":"1h","tenant":null,"dryRun":false}',
  ]);
  expect({ stdout, code }).toEqual({ stdout: "dw1_secret\n", code: 0 });
  expect(stderr).toContain("token 1a2b3c4d of role watson holds until it is revoked");
});

test.each([
  ["token create", "wanted --role"],
  ["token create --role emperor", "Allowed choices"],
  ["token create --role watson --expires soon", "duration"],
])("dw %s is a misused command line", async (line, message) => {
  const { code, stderr, asked } = await run(line);
  expect({ code, asked }).toEqual({ code: 64, asked: [] });
  expect(stderr).toContain(message);
});

test("dw token list shows each token, and which have expired", async () => {
  const tokens = [token, { ...token, id: "9c8d7e6f", role: "sherlock", services: null, tenant: "acme", expired: true }];
  const { stdout } = await run("token list", { answers: { "GET /v1/tokens": { tokens } } });
  expect(stdout).toMatch(/1a2b3c4d {2}watson {4}- {7}billing-\* .* never/);
  expect(stdout).toMatch(/9c8d7e6f {2}sherlock {2}acme {4}- .* expired/);
  const json = await run("token list --json", { answers: { "GET /v1/tokens": { tokens } } });
  expect(JSON.parse(json.stdout)).toEqual(tokens);
});

test("dw token revoke ends the token of that id", async () => {
  const { code, asked, stderr } = await run("token revoke 1a2b3c4d", {
    answers: { "DELETE /v1/tokens/1a2b3c4d": { revoked: token } },
  });
  expect({ code, asked }).toEqual({ code: 0, asked: ["DELETE /v1/tokens/1a2b3c4d"] });
  expect(stderr).toContain("1a2b3c4d of role watson is revoked");
});

test("dw token create --dry-run and dw token revoke --dry-run change nothing, and say what would be", async () => {
  const made = { ...token, id: null, token: null, notes: ["it may register any service"], changed: false };
  const created = await run("token create --role watson --dry-run", { answers: { "POST /v1/tokens": made } });
  expect(created.asked[0]).toContain('"dryRun":true');
  expect(created).toMatchObject({
    code: 0,
    stdout: "Nothing is changed; it would be a token of role watson that holds until it is revoked\n",
    stderr: "note: it may register any service\n",
  });
  const revoked = await run("token revoke 1a2b3c4d --dry-run", {
    answers: { "DELETE /v1/tokens/1a2b3c4d?dryRun=true": { revoked: token, sessions: 2, notes: [], changed: false } },
  });
  expect(revoked.stdout).toBe(
    "Nothing is changed; it would end token 1a2b3c4d of role watson, 2 sessions of the console, and the links that use it\n",
  );
});

test("dw token revoke takes no token itself, which would stand in a URL", async () => {
  const { code, stderr, asked } = await run(`token revoke dw1_${"a".repeat(43)}`);
  expect({ code, asked }).toEqual({ code: 64, asked: [] });
  expect(stderr).toBe(
    'dw: Cannot use "dw1_***" as the id of a token: wanted one that `dw token list` shows, and not the token itself\n',
  );
});
