// Validates state machine definitions: `node local/check_asl.js FILE …`. Exits 1 on any finding.
"use strict";

const fs = require("fs");
const { getLanguageService } = require("amazon-states-language-service");
const { TextDocument } = require("vscode-languageserver-textdocument");

async function findings(file) {
  const document = TextDocument.create(`file://${file}`, "asl", 1, fs.readFileSync(file, "utf8"));
  const service = getLanguageService({});
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map((each) => `${file}:${each.range.start.line + 1}: ${each.message}`);
}

Promise.all(process.argv.slice(2).map(findings)).then((all) => {
  const lines = all.flat();
  lines.forEach((line) => console.log(line));
  process.exitCode = lines.length ? 1 : 0;
});
