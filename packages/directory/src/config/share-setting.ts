import { parsedBy } from "@datawire/runtime";

/** `50%` or `0.5`. */
export const shareSetting = parsedBy((text) => {
  const match = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim());
  if (match === null) throw new Error("it is no number");
  const share = Number(match[1]) / (match[2] === "%" ? 100 : 1);
  if (share > 1) throw new Error(`it is more than the whole${match[2] === "%" ? "" : ", as it has no %"}`);
  return share;
}, "a share from 0% to 100%, or from 0 to 1");
