{{%AUTOESCAPE context="HTML"}}<style>
:root {
  --paper: #fff; --desk: #f4f5f7; --ink: #1c2128; --soft: #57606a; --rule: #d5dbe1; --faint: #f6f8fa; --link: #1d4e89;
  --pass: #17643a; --pass-bg: #e6f4eb; --fail: #9b1c1c; --fail-bg: #fcebe9; --inconclusive: #7a4a00; --inconclusive-bg: #fdf2da;
  --untested: #37516c; --untested-bg: #e9eff6; --na: #57606a; --na-bg: #eef0f2; --unclaimed: #5a3b85; --unclaimed-bg: #f2ecf9;
  --error: #6b1040; --error-bg: #fbe8f2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15191e; --desk: #0e1114; --ink: #e4e8ec; --soft: #9aa4af; --rule: #323a43; --faint: #1c2127; --link: #8ab8ee;
    --pass: #86d3a4; --pass-bg: #173524; --fail: #ff9d94; --fail-bg: #42191a; --inconclusive: #f0c471; --inconclusive-bg: #3b2c0d;
    --untested: #a9c4e2; --untested-bg: #1e2d3d; --na: #a4adb6; --na-bg: #262c33; --unclaimed: #cdb2f0; --unclaimed-bg: #302143;
    --error: #f5a6cc; --error-bg: #3d1429;
  }
}
* { box-sizing: border-box; }
html { font-size: 15px; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 3.2rem 3.6rem 2.4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
td, tbody th, dd, li, h1, .digest, pre { overflow-wrap: anywhere; }
thead th { white-space: nowrap; }
html { background: var(--desk); }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; }
.mono, code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: .88em; }
.small { font-size: .87rem; color: var(--soft); }
p { margin: .5rem 0; }
h1 { font-size: 2.3rem; line-height: 1.15; margin: .2rem 0 .3rem; font-weight: 650; letter-spacing: -.015em; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 3.2rem 0 .9rem; padding-top: .9rem; border-top: 2px solid var(--ink); font-weight: 650; }
h2 .h { margin-left: .35rem; }
h3 { font-size: 1.12rem; line-height: 1.4; margin: 1.6rem 0 .5rem; font-weight: 650; }
h4 { font-size: 1rem; margin: 0 0 .3rem; font-weight: 600; }
h5 { font-size: .95rem; margin: 0 0 .3rem; font-weight: 600; }
h3 .mono, h4 .mono { font-weight: 500; color: var(--soft); margin-right: .3rem; }
.kicker { margin: 0; text-transform: uppercase; letter-spacing: .09em; font-size: .8rem; color: var(--soft); }
.kicker .mono { text-transform: none; letter-spacing: 0; margin-left: .5rem; }
.plan { font-size: 1.12rem; color: var(--soft); margin: 0 0 1.2rem; }
.draft { border: 2px solid var(--inconclusive); background: var(--inconclusive-bg); color: var(--inconclusive); border-radius: 4px; padding: .7rem 1rem; margin: 1.2rem 0; }
.draft strong { display: block; font-size: 1.1rem; letter-spacing: .02em; }
.note, .missing { border-left: 3px solid var(--inconclusive); padding: .3rem .8rem; color: var(--inconclusive); }
.facts { display: grid; grid-template-columns: repeat(3, 1fr); margin: 1.4rem 0 0; border-top: 1px solid var(--rule); }
.facts > div { border-bottom: 1px solid var(--rule); padding: .55rem 1rem .55rem 0; }
dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; }
.statement { font-size: 1.45rem; line-height: 1.3; font-weight: 600; margin: 0 0 1rem; }
.bar { display: flex; gap: 2px; height: .7rem; margin: 0 0 .9rem; }
.bar span { background: currentColor; border-radius: 2px; min-width: .4rem; }
.counts { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem 2.2rem; margin: 0 0 .6rem; padding: 0; }
.counts .n { font-size: 1.3rem; font-weight: 650; font-variant-numeric: tabular-nums; margin-right: .15rem; }
.sym { display: inline-block; width: 1.35em; text-align: center; border-radius: 3px; font-weight: 700; font-size: .85rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
caption { text-align: left; font-size: .87rem; color: var(--soft); padding: 0 0 .35rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0; border-bottom: 1px solid var(--rule); font-weight: 400; }
thead th { font-size: .8rem; color: var(--soft); border-bottom: 1px solid var(--soft); font-weight: 600; }
tbody th { font-weight: 550; }
th:last-child, td:last-child { padding-right: 0; }
td p { margin: 0 0 .3rem; }
.summary th:nth-child(1) { width: 10.4rem; } .summary th:nth-child(2) { width: 30%; }
.summary td:nth-child(4), .summary th:nth-child(4) { width: 26%; }
.findings th:first-child { width: 30%; } .wide th:first-child { width: 62%; } .findings th:last-child { width: 11.5rem; } .findings td:nth-child(2) { white-space: nowrap; }
.seen th:nth-child(1) { width: 13rem; } .seen th:nth-child(3) { width: 8rem; }
.kind { white-space: nowrap; color: var(--soft); } .units { width: 9rem; }
.observed { font-weight: 600; }
.tag { display: inline-block; font-size: .74rem; color: var(--soft); border: 1px solid var(--rule); border-radius: 3px; padding: 0 .35rem; margin-left: .4rem; font-weight: 400; }
.chip { display: inline-block; font-size: .74rem; font-weight: 700; letter-spacing: .03em; line-height: 1.5; white-space: nowrap; padding: .06rem .5rem; border: 1px solid currentColor; border-radius: 3px; vertical-align: .08em; margin-right: .25rem; }
.v-pass { color: var(--pass); background: var(--pass-bg); } .v-fail { color: var(--fail); background: var(--fail-bg); }
.v-inconclusive { color: var(--inconclusive); background: var(--inconclusive-bg); }
.v-not_tested { color: var(--untested); background: var(--untested-bg); } .v-open { color: var(--inconclusive); background: var(--inconclusive-bg); }
.v-not_applicable { color: var(--na); background: var(--na-bg); } .v-not_claimed { color: var(--unclaimed); background: var(--unclaimed-bg); }
.v-error { color: var(--error); background: var(--error-bg); } .chip.v-error { border-style: dashed; } .v-none { color: var(--na); background: var(--na-bg); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 3rem; }
.list { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.1rem; margin: .3rem 0; }
.list dt { padding-top: .1rem; white-space: nowrap; }
.requirement { border-top: 1px solid var(--rule); padding-top: .3rem; margin-top: 1.8rem; }
.requirement .because { font-size: 1.02rem; }
.columns { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0 1.6rem; margin: .8rem 0; background: var(--faint); padding: .8rem 1rem; border-radius: 4px; }
.columns dd { font-size: .93rem; }
.columns dd, .prose, .because, .remedy, .manual li, .manual dd { white-space: pre-line; }
.case { margin: 1.4rem 0 0; }
.unit { border-left: 3px solid var(--rule); padding: .1rem 0 .1rem 1.1rem; margin: .9rem 0; }
.edge-pass { border-color: var(--pass); } .edge-fail { border-color: var(--fail); } .edge-inconclusive { border-color: var(--inconclusive); }
.edge-not_tested { border-color: var(--untested); } .edge-error { border-color: var(--error); border-left-style: dashed; }
.remedy { background: var(--faint); padding: .5rem .9rem; border-radius: 4px; }
.remedy strong, .manual strong { margin-right: .3rem; }
.person { border-left: 4px solid var(--rule); padding: .1rem 1rem; margin: .6rem 0; }
.manual { border: 1px solid var(--rule); border-radius: 4px; padding: .4rem 1rem .6rem; margin: .8rem 0; }
.manual-title { font-weight: 600; margin: .2rem 0; }
.manual ol { margin: .3rem 0; padding-left: 1.3rem; } .manual li { margin: .25rem 0; } .manual .list { white-space: normal; }
.files { list-style: none; padding: 0; margin: .6rem 0; } .files li { margin: .4rem 0; }
.digest { font-size: .82rem; }
details { margin: .3rem 0; } summary { cursor: pointer; color: var(--link); font-size: .87rem; }
pre { background: var(--faint); border: 1px solid var(--rule); border-radius: 4px; padding: .7rem .9rem; max-height: 26rem; overflow: auto; white-space: pre-wrap; font-size: .8rem; line-height: 1.45; unicode-bidi: isolate; }
td, th, dd, pre { unicode-bidi: isolate; }
footer { margin-top: 3.4rem; padding-top: .9rem; border-top: 2px solid var(--ink); font-size: .93rem; }
.end { text-align: center; color: var(--soft); margin-top: 1.6rem; }
@media screen and (max-width: 50rem) {
  body { padding: 1.4rem 1.1rem; }
  .facts { grid-template-columns: 1fr 1fr; }
  .pair, .columns { grid-template-columns: 1fr; gap: .8rem; }
  .scroll table { min-width: 44rem; }
}
@page { size: A4; margin: 18mm 16mm 18mm;
  @bottom-left { content: "Evidence report {{REPORT_ID}}"; font: 8pt sans-serif; color: #57606a; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 8pt sans-serif; color: #57606a; }
}
@media print {
  :root { --paper: #fff; --desk: #fff; --ink: #000; --soft: #444c55; --rule: #c4cad0; --faint: #f6f8fa; --link: #1d4e89;
    --pass: #17643a; --pass-bg: #e6f4eb; --fail: #9b1c1c; --fail-bg: #fcebe9; --inconclusive: #7a4a00; --inconclusive-bg: #fdf2da;
    --untested: #37516c; --untested-bg: #e9eff6; --na: #57606a; --na-bg: #eef0f2; --unclaimed: #5a3b85; --unclaimed-bg: #f2ecf9;
    --error: #6b1040; --error-bg: #fbe8f2; }
  html { font-size: 9.6pt; }
  body { padding: 0; max-width: none; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .skip { display: none; }
  .scroll { overflow: visible; }
  pre { max-height: none; overflow: visible; }
  thead { display: table-header-group; }
  tr, .chip, .columns, .manual, .draft, .counts { break-inside: avoid; }
  h2, h3, h4, h5, caption { break-after: avoid; }
  #requirements, #observations { break-before: page; }
  a { color: inherit; }
  p, dd { orphans: 3; widows: 3; }
}
</style>
