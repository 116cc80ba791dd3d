/** A service file by its name, in capitals too. */
export function isServiceFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name);
}

/**
 * What nobody takes for a service file: hidden files, what editors, patches and package managers leave behind, what was
 * put aside by its name, and a README.
 */
export function isLeftAlone(name: string): boolean {
  return HIDDEN.test(name) || ASIDE.test(name) || README.test(name);
}

const HIDDEN = /^\.|^lost\+found$/;
const ASIDE =
  /~$|^#.*#$|[.-](?:bak|backup|orig|old|save|rej|tmp|temp|part|swp|swo|swx|disabled|off|sample|example|dist|pacnew|pacsave|dpkg-[a-z]+|ucf-[a-z]+|rpm[a-z]+)\d*$/i;
const README = /^readme(?:\.\w+)?$|\.md$/i;
