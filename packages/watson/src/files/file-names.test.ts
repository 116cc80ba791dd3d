import { expect, test } from "vitest";
import { isLeftAlone, isServiceFile } from "./file-names.ts";

test.each(["web.yaml", "web.yml", "web.json", "WEB.YAML", "web.Json", "a.b.yaml"])("%s is a service file", (name) => {
  expect([isServiceFile(name), isLeftAlone(name)]).toEqual([true, false]);
});

test.each([
  ".web.yaml.swp",
  ".hidden.yaml",
  "web.yaml~",
  "#web.yaml#",
  "web.yaml.bak",
  "web.yaml.bak2",
  "web.yaml.dpkg-old",
  "web.yaml.rpmsave",
  "web.yaml.disabled",
  "web.yaml.orig",
  "README",
  "README.md",
  "lost+found",
])("%s is left alone", (name) => {
  expect([isServiceFile(name) && !name.startsWith("."), isLeftAlone(name)]).toEqual([false, true]);
});

test.each(["web.yaml.txt", "web.conf", "web", "web.yaml ", "web.yam", "team"])("%s is neither", (name) => {
  expect([isServiceFile(name), isLeftAlone(name)]).toEqual([false, false]);
});
