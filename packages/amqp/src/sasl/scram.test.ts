import { expect, test } from "vitest";
import { deriveScramCredentials } from "./scram-crypto.ts";
import { scramClient, ScramExchange } from "./scram.ts";
import type { SaslStep } from "./contract.ts";

const text = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

// The example of RFC 7677, part 3.
const salt = Uint8Array.from(atob("W22ZaJ0SNY7soEsUEjb6gQ=="), (character) => character.charCodeAt(0));
const credentials = deriveScramCredentials("pencil", salt, 4_096);
const users = {
  find: (user: string, answer: (found: typeof credentials | null) => void) =>
    answer(user === "user" ? credentials : null),
  nonce: () => "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
  secret: bytes("secret"),
};

function steps(exchange: ScramExchange, ...said: string[]): SaslStep[] {
  const answers: SaslStep[] = [];
  for (const each of said) exchange.respond(bytes(each), (step) => answers.push(step));
  return answers;
}

test("scramClient() and ScramExchange say what the example of RFC 7677 says", () => {
  const client = scramClient("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
  const exchange = new ScramExchange(users);
  expect(text(client.begin())).toBe("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const [challenge] = steps(exchange, text(client.begin()));
  if (challenge?.state !== "challenge") throw new Error("no challenge");
  expect(text(challenge.bytes)).toBe(
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  );
  const final = client.respond(challenge.bytes);
  expect(text(final)).toBe(
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  );
  const [outcome] = steps(exchange, text(final));
  if (outcome?.state !== "authenticated") throw new Error("not authenticated");
  expect(text(outcome.additional)).toBe("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  expect(client.finish(null)).toBe(false);
  expect(client.finish(bytes("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="))).toBe(false);
  expect(client.finish(outcome.additional ?? null)).toBe(true);
});

test.each([
  ["a wrong password", "user", "pen"],
  ["an unknown user", "nobody", "pencil"],
])("ScramExchange fails for %s, after a challenge as for all", (_, user, password) => {
  const client = scramClient(user, password, "rOprNGfwEbeRWgbNEkqO");
  const exchange = new ScramExchange(users);
  const [challenge] = steps(exchange, text(client.begin()));
  if (challenge?.state !== "challenge") throw new Error("no challenge");
  expect(steps(exchange, text(client.respond(challenge.bytes)))).toEqual([{ state: "failed" }]);
});

test.each([
  "",
  "n,,n=user",
  "p=tls-unique,,n=user,r=abc",
  "n,,n=us=er,r=abc",
  "n,,m=x,n=user,r=abc",
  "n,,n=user,r=a b",
])("ScramExchange fails at the beginning %j", (said) => {
  expect(steps(new ScramExchange(users), said)).toEqual([{ state: "failed" }]);
});

test("ScramExchange knows names with commas and equal signs", () => {
  const asked: string[] = [];
  const exchange = new ScramExchange({
    ...users,
    find: (user, answer) => answer(asked.push(user) > 9 ? null : credentials),
  });
  steps(exchange, text(scramClient("a=b,c", "x", "nonce-of-a-client").begin()));
  expect(asked).toEqual(["a=b,c"]);
});

test.each([
  "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  "r=nonce-of-a-client,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  "r=nonce-of-a-client-x,s=!,i=4096",
  "r=nonce-of-a-client-x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
  "r=nonce-of-a-client-x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999",
  "e=other-error",
])("scramClient() does not answer the challenge %j", (challenge) => {
  const client = scramClient("user", "pencil", "nonce-of-a-client");
  client.begin();
  expect(client.respond(bytes(challenge))).toBe(null);
});
