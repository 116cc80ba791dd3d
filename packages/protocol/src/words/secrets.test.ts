import { expect, test } from "vitest";
import { maskSecrets } from "./secrets.ts";

test.each([
  ["http://probe:hunter2@127.0.0.1:8081/health", "http://***@127.0.0.1:8081/health"],
  ["http://hunter2@h/", "http://***@h/"],
  ["http://probe:hun/ter2@h/", "http://***@h/"],
  ["http://probe:hunt@er2@h/", "http://***@h/"],
  ['Cannot use "wss://u:hunter2@h" as x', 'Cannot use "wss://***@h" as x'],
  ["//u:hunter2@h/directory", "//u:***@h/directory"],
  ['"u:hunter2@h:6379"', '"***@h:6379"'],
  ["token dw1_hunter2hunter2 x", "token dw1_*** x"],
  ["Authorization: Bearer hunter2hunter2", "Authorization: Bearer ***"],
  ["bearer hunter2hunter2", "bearer ***"],
  ["Basic aHVudGVyMjpodW50ZXIy", "Basic ***"],
  ["/health?deep=1&api_key=hunter2&x=1", "/health?deep=1&api_key=***&x=1"],
  ["/health?access_token=hunter2", "/health?access_token=***"],
])("maskSecrets() masks %o", (text, expected) => {
  expect(maskSecrets(text)).toBe(expected);
});

test.each([
  "//barker@vm102",
  "//services/barker@vm102",
  'Cannot read address "//barker@vm102(2)"',
  "http://h:8080/a@b",
  "http://h/a?b=1@2",
  "http://h:80",
  "user@host changed //a from 1 to 2",
  "a bearer of news",
  "path:/beta?x=1",
])("maskSecrets() leaves %o as it is", (text) => {
  expect(maskSecrets(text)).toBe(text);
});
