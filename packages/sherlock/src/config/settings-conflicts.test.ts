import { parseDirectoryAddress } from "@datawire/protocol";
import { formatProblem, parseListenAddress } from "@datawire/runtime";
import { expect, test } from "vitest";
import { settingsConflicts } from "./settings-conflicts.ts";

const at = parseListenAddress;
const place = (...path: string[]) => ({ file: path.join(".") });
const directories = [parseDirectoryAddress("//a/directory")];

test("settingsConflicts() finds two things at one address, and a directory that is there twice", () => {
  const settings = {
    listen: at("127.0.0.1:5432"),
    admin: at("127.0.0.1:5432"),
    tcp: { pg: at("127.0.0.1:6001"), redis: at("127.0.0.1:6001"), web: at("127.0.0.1:5432") },
    directories: [...directories, parseDirectoryAddress("ws://a:5430")],
  };
  expect(settingsConflicts(settings, place).map(formatProblem)).toEqual([
    'admin: admin is "127.0.0.1:5432": listen listens there; wanted another port',
    'tcp.redis: tcp.redis is "127.0.0.1:6001": tcp.pg listens there; wanted another port',
    'tcp.web: tcp.web is "127.0.0.1:5432": listen listens there; wanted another port',
    "directories: the directory //a/directory is there twice: wanted each once",
  ]);
});

test("settingsConflicts() minds neither other ports, nor an admin port that is off, nor ports that the system chooses", () => {
  const tcp = { pg: at("127.0.0.1:6001"), redis: at("127.0.0.2:6001"), a: at("127.0.0.1:0"), b: at("127.0.0.1:0") };
  expect(settingsConflicts({ admin: null, tcp, directories }, place)).toEqual([]);
});
