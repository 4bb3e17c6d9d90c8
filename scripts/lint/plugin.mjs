import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mayStartGit, mayTouchIpc, verdict } from './law.mjs';

/**
 * Our own lint rules, for oxlint's ESLint-shaped plugin API.
 * @typedef {{ filename: string, cwd: string, report: (problem: { message: string, node: unknown }) => void }} Context
 * @typedef {{ value?: unknown, name?: string, callee?: Node, property?: Node, arguments?: Node[], source?: Node | null, importKind?: string, exportKind?: string, type: string, specifiers?: { importKind?: string, imported?: Node }[] }} Node
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const place = (/** @type {Context} */ context) => relative(root, context.filename).split(sep).join('/');

const importLaw = {
  /** @param {Context} context */
  create(context) {
    const from = place(context);
    /** @param {Node} node @param {Node | null | undefined} source @param {boolean} typeOnly */
    const judge = (node, source, typeOnly) => {
      if (typeof source?.value !== 'string') return;
      const wrong = verdict(from, source.value, typeOnly);
      if (wrong) context.report({ message: `Import law: ${wrong}`, node });
    };
    return {
      ImportDeclaration: (/** @type {Node} */ node) => judge(node, node.source, node.importKind === 'type'),
      ExportNamedDeclaration: (/** @type {Node} */ node) => judge(node, node.source, node.exportKind === 'type'),
      ExportAllDeclaration: (/** @type {Node} */ node) => judge(node, node.source, node.exportKind === 'type'),
      ImportExpression: (/** @type {Node} */ node) => judge(node, node.source, false),
      TSImportType: (/** @type {Node} */ node) => judge(node, node.source, true),
    };
  },
};

const rawIpc = {
  /** @param {Context} context */
  create(context) {
    if (mayTouchIpc(place(context))) return {};
    return {
      Identifier(/** @type {Node} */ node) {
        if (node.name !== 'ipcMain' && node.name !== 'ipcRenderer') return;
        context.report({ message: `Import law: only electron/ipc/ and electron/preload/ touch ${node.name}.`, node });
      },
    };
  },
};

const starters = new Set(['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync']);

const startsGit = {
  /** @param {Context} context */
  create(context) {
    if (mayStartGit(place(context))) return {};
    return {
      CallExpression(/** @type {Node} */ node) {
        const name = node.callee?.name ?? node.callee?.property?.name ?? '';
        const program = node.arguments?.[0]?.value;
        if (!starters.has(name) || typeof program !== 'string' || !/^(.*\/)?git( |$)/.test(program)) return;
        context.report({ message: 'Import law: only agent-core/git/ starts git.', node });
      },
    };
  },
};

export default {
  meta: { name: 'signalbox' },
  rules: { 'import-law': importLaw, 'raw-ipc': rawIpc, 'starts-git': startsGit },
};
