import { HEAD_LIMITS } from "@datawire/protocol";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";

/**
 * What of HTTP Sherlock's HAProxy takes, looks at and passes on, as the words and regular expressions of its
 * configuration. All of them stand in single quotes there, so that none may have one. Names of headers are in lower
 * case wherever HAProxy shows them.
 */
export interface HttpRules {
  /** The option that lets bytes above 127 into URLs, with much else that the rules refuse again. */
  readonly relaxed: string;
  /** Whether connections of TCP can be given a level in the log. */
  readonly logsLevels: boolean;
  readonly bufferBytes: number;
  /** Kept free in each buffer, for the headers that are added. */
  readonly rewriteBytes: number;
  /** Header lines, the request line counted. */
  readonly headersMax: number;
  readonly headerBytesMax: number;
  /** What matches a text of so many bytes. */
  readonly fullHeaders: string;
  readonly fullUrl: string;
  readonly urlBytesMax: number;
  readonly longUrl: string;
  readonly longHeaders: string;
  readonly badAnswer: string;
  /** The header that says which methods there are, as words of an answer. */
  readonly allow: string;
  /** A line of a header that a plain request has not. */
  readonly oddHeaders: string;
  readonly control: string;
  readonly badNames: string;
  readonly badHost: string;
  /** A header that Connection names, and that is no header of every hop. */
  readonly namedByConnection: string;
  /** Names that end here: those of one hop, Sherlock's own, and what could be taken for them. */
  readonly hopNames: string;
  /** A line that only a browser sends. */
  readonly browser: string;
  /** A line of a request whose answer may be a stream of events or of messages. */
  readonly stream: string;
  /** How long such an answer may be silent, as a WebSocket may. */
  readonly streamIdleMs: number;
  /** Hosts that lead to this machine wherever they are looked up. */
  readonly loopback: string;
  /** Names, in a list of those of a response, of what is mapped or ends here. */
  readonly responseNames: string;
  readonly responseHopNames: string;
}

const HOP = "connection|upgrade|http2-settings|keep-alive|proxy-connection";
/** Names without a dash of their own: programs that make variables of names (CGI, WSGI, PHP) see these as those. */
const TWINS = "x.forwarded.(?:for|host|proto|prefix)|x.dstack.*|content.(?:length|type)|transfer.encoding";
const HOST = String.raw`(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?\r`;
/** Headers that end here anyway, and those that no other header may take away: without them a request is another one. */
const KEPT =
  "close|te|host|authorization|cookie|content-[a-z]+|transfer-encoding|x-forwarded-[a-z]+|x-dstack-[a-z]+|trailer|expect|date|forwarded|via";
const BROWSER = "(?:origin|sec-fetch-site):|user-agent: Mozilla/";
const STREAM = "accept: [^\\r\\n]*text/event-stream|content-type: application/grpc";
const STREAM_IDLE_MS = 3_600_000;

/** The rules for an HAProxy. */
export function httpRules(
  { violationsOption, logsLevels }: Pick<HaproxyFeatures, "violationsOption" | "logsLevels">,
  headerBytesMax: number,
): HttpRules {
  const urlBytesMax = Math.floor((headerBytesMax * HEAD_LIMITS.urlBytes) / HEAD_LIMITS.headerBytes);
  // HAProxy compiles these without captures, but for those that have a name.
  const named = (group: string): string => `(?!(?:${HOP}|${KEPT})[\\t ,:\\r])(?<${group}>[^\\s,:]+)`;
  const before = String.raw`connection: (?:[^\r\n]*[,\t ])?`;
  return {
    relaxed: violationsOption ? "accept-unsafe-violations-in-http-request" : "accept-invalid-http-request",
    logsLevels,
    bufferBytes: headerBytesMax + HEAD_LIMITS.bufferBytes - HEAD_LIMITS.headerBytes,
    rewriteBytes: HEAD_LIMITS.rewriteBytes,
    headersMax: HEAD_LIMITS.lines,
    headerBytesMax,
    urlBytesMax,
    fullHeaders: `^(?s:${repeated(".", headerBytesMax)})`,
    fullUrl: `^(?:[^/]|[^#]*#|${repeated("[^#]", urlBytesMax)})`,
    longUrl: `a URL may have ${urlBytesMax} bytes`,
    longHeaders: `all of them together may have ${headerBytesMax} bytes`,
    badAnswer: `an instance broke off, or answered with no valid HTTP or with more than ${headerBytesMax} bytes of headers`,
    allow: ` hdr Allow "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"`,
    oddHeaders: `(?m)^(?:[a-z0-9-]*[^a-z0-9:\\r\\n-]|(?:${HOP}|transfer-encoding|x-dstack-[^:]*):|te: (?!trailers\\r)|${STREAM}|${BROWSER}|x-forwarded-for: \\r|host: (?!${HOST})|\\A(?!(?:[^\\n]*\\n)*?host: ))`,
    control: String.raw`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`,
    badNames: String.raw`(?m)^[^:\r\n]*[^a-z0-9!#$%&\x27*+.^_\x60|~:\r\n-]`,
    badHost: `(?m)^host: (?!${HOST}|\\r)`,
    namedByConnection: `(?mi)^(?:${before}${named("a")}(?=[\\t ,\\r])[\\s\\S]*^\\k<a>:|${named("b")}:[\\s\\S]*^${before}\\k<b>(?=[\\t ,\\r]))`,
    hopNames: `^(?:${HOP}|te|x-dstack-.*|(?=.*[^a-z0-9-])(?:${TWINS}))$`,
    stream: `(?m)^(?:${STREAM})`,
    streamIdleMs: STREAM_IDLE_MS,
    browser: `(?m)^(?:${BROWSER})`,
    loopback: String.raw`^(?:127(?:\.[0-9]{1,3}){3}|\[::1\]|\[::ffff:(?:127\.[0-9.]+|7f[0-9a-f]{2}:[0-9a-f]{1,4})\]|(?:.*\.)?localhost)$`,
    responseNames: `(?:^|,)(?:location|set-cookie|${HOP}|x-dstack-)`,
    responseHopNames: `^(?:${HOP}|x-dstack-.*)$`,
  };
}

/** A regular expression counts no further than 65,535. */
function repeated(what: string, times: number): string {
  const most = 65_535;
  const whole = `${what}{${most}}`.repeat(Math.floor(times / most));
  return `${whole}${what}{${times % most}}`;
}
