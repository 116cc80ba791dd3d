import {
  formatListenAddress,
  isLoopback,
  type ListenAddress,
  listenOrOffSetting,
  parsedBy,
  parseListenAddress,
} from "@datawire/runtime";
import { z } from "zod";

/** How the port for browsers is. */
export interface WebSettings {
  readonly listen: ListenAddress;
  /** Whether somebody asked for it, so that it has to be there. */
  readonly isAsked: boolean;
  readonly origins: readonly string[];
  /** Bytes of a message of a WebSocket. */
  readonly messageBytes: number;
  /** The folder of the service files whose pages are shown. */
  readonly services: string;
}

const DEFAULT_WEB = "127.0.0.1:3423";

const origin = parsedBy((text) => {
  if (!URL.canParse(text) || new URL(text).origin !== text) throw new Error("it is no origin");
  return text;
}, "an origin such as https://www.example.com, without a path");

/** The keys of router.yaml that are about browsers. */
export const webShape = {
  web: listenOrOffSetting.optional().meta({
    description: "HTTPS and WebSocket for browsers, or `off`.",
    otherwise: "`127.0.0.1:3423`",
  }),
  web_origins: z
    .union([origin.transform((one) => [one]), z.array(origin)])
    .default([])
    .meta({ description: "Origins of pages that may connect to `web` beside its own." }),
  services_dir: z.string().min(1).default("/etc/datawire.d").meta({
    description: "Folder of service files: `web` shows the folder `web` beside each.",
  }),
};

type WebValues = z.output<z.ZodObject<typeof webShape>>;

/** Where browsers come to; null where they do not. */
export function webSettings(
  { web, web_origins: origins, services_dir: services }: WebValues,
  messageBytes: number,
): WebSettings | null {
  const listen = web === undefined ? parseListenAddress(DEFAULT_WEB) : web;
  return listen && { listen, isAsked: web !== undefined, origins, messageBytes, services };
}

/** What is wrong with a port for browsers that others reach, where nobody is asked who they are; null for nothing. */
export function whyNotOpen({ listen }: WebSettings): string | null {
  if (isLoopback(listen.host)) return null;
  return `${formatListenAddress(listen)} is reached from other machines, and this router has no way to know who comes: wanted \`users\`, or \`auth: { mode: none }\` to let everybody do everything`;
}
