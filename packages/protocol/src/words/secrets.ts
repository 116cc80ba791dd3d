/** What stands where a secret stood. */
const MASK = "***";

/** `scheme://user:password@`, to the last @ where a password holds a / or an @ of its own; a port is no password. */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)(?:[^\s"'/@:]*:(?!\d{1,5}(?:[/?#]|$))[^\s"'<>]*|[^\s"'/?#@]+)@/gi;
/** The same without a scheme, as an address begins; `//barker@vm102` is an instance and holds no password. */
const USER_INFO_OF_ADDRESS = /(^|[^:])(\/\/[^\s"'/@:]*):[^\s"'/@]*@/g;
/** The same of what stands alone, as `user:password@host:6379`. */
const USER_INFO_ALONE = /(^|[\s"'])[^\s"'/@:]+:[^\s"'/@]+@(?=[\w[])/g;
const TOKEN = /\bdw1_[A-Za-z0-9_-]{4,}/g;
/** The schemes of `Authorization` that carry a secret as it is. */
const AUTHORIZATION = /\b(Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]{6,}/g;
/** In small letters too, where what follows is no word: a host, for instance, is quoted so. */
const AUTHORIZATION_IN_ANY_CASE = /\b(bearer|basic)(\s+)(?=[a-z._~+/-]*[\d=])[A-Za-z0-9._~+/=-]{6,}/gi;
const PARAMETER =
  /([?&;](?:[A-Za-z0-9_.-]*(?:token|passw(?:or)?d|secret|api[_-]?key|signature)|auth|pwd)=)[^&;\s"'#]+/gi;

/**
 * Masks what only its owner may know in a text that others may read: user names and passwords in URLs, tokens,
 * credentials of `Authorization`, and parameters of a query that are named for such.
 */
export function maskSecrets(text: string): string {
  return text
    .replace(USER_INFO, `$1${MASK}@`)
    .replace(USER_INFO_OF_ADDRESS, `$1$2:${MASK}@`)
    .replace(USER_INFO_ALONE, `$1${MASK}@`)
    .replace(TOKEN, `dw1_${MASK}`)
    .replace(AUTHORIZATION, `$1$2${MASK}`)
    .replace(AUTHORIZATION_IN_ANY_CASE, `$1$2${MASK}`)
    .replace(PARAMETER, `$1${MASK}`);
}
