import { dirname } from "node:path";
import {
  type AsExpression,
  type BinaryExpression,
  type ElementAccessExpression,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { API, type Checker, type Type, TypeFlags } from "typescript/unstable/sync";

/** A lookup that what every object inherits would answer too. */
export interface Lookup {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

/**
 * Finds, in the files of a project for which `isOurs` is true: `in` with a key that is not written there, and `[key]` with
 * any text as key in anything but a list, also where a cast says that it is one of the right ones.
 */
export function findLookups(tsconfig: string, isOurs: (path: string) => boolean): Lookup[] {
  const api = new API({ cwd: dirname(tsconfig) });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [tsconfig] });
    return snapshot.getProjects().flatMap(({ program, checker }) =>
      program
        .getSourceFileNames()
        .filter(isOurs)
        .flatMap((name) => {
          const file = program.getSourceFile(name);
          return file === undefined ? [] : lookupsIn(file, checker);
        }),
    );
  } finally {
    api.close();
  }
}

function lookupsIn(file: SourceFile, checker: Checker): Lookup[] {
  const found: Lookup[] = [];
  const add = (node: Node, why: string): void => {
    const before = file.text.slice(0, node.getStart());
    const text = file.text.slice(node.getStart(), node.end).split("\n", 1)[0] ?? "";
    found.push({ path: file.fileName, line: before.split("\n").length, text, why });
  };
  const visit = (node: Node): void => {
    if (node.kind === SyntaxKind.BinaryExpression) {
      const { left, operatorToken } = node as BinaryExpression;
      if (operatorToken.kind === SyntaxKind.InKeyword && !isWritten(left))
        add(node, "`in` finds what every object inherits");
    }
    if (node.kind === SyntaxKind.ElementAccessExpression) {
      const { argumentExpression: key } = node as ElementAccessExpression;
      if (!isWritten(key) && isAnyText(key, checker)) add(node, "the key may be any text");
    }
    node.forEachChild(visit);
  };
  visit(file);
  return found;
}

/** Whether a key stands in the code, or is a private name. */
function isWritten({ kind }: Node): boolean {
  return (
    kind === SyntaxKind.StringLiteral ||
    kind === SyntaxKind.NumericLiteral ||
    kind === SyntaxKind.NoSubstitutionTemplateLiteral ||
    kind === SyntaxKind.PrivateIdentifier
  );
}

/** A cast makes a text look like one of a few: what it is made of tells. */
function isAnyText(key: Node, checker: Checker): boolean {
  if (key.kind === SyntaxKind.AsExpression) return isAnyText((key as AsExpression).expression, checker);
  if (key.kind === SyntaxKind.ParenthesizedExpression) {
    let inner = key;
    key.forEachChild((child) => void (inner = child));
    return isAnyText(inner, checker);
  }
  const type = checker.getTypeAtLocation(key);
  return type !== undefined && includesText(type);
}

function includesText(type: Type): boolean {
  const anyText = TypeFlags.String | TypeFlags.Any | TypeFlags.Unknown | TypeFlags.TemplateLiteral;
  if ((type.flags & anyText) !== 0) return true;
  return (type.isUnionType() || type.isIntersectionType()) && (type.getTypes() ?? []).some(includesText);
}
