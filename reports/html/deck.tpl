{{%AUTOESCAPE context="HTML"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{TITLE}}</title>
{{>STYLE}}
<style>
@page { size: A4 landscape; }
body.deck { max-width: 84rem; }
.slide { break-after: page; border-top: 2px solid var(--ink); margin-top: 2.4rem; padding-top: .4rem; }
.three { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 2rem; align-items: start; }
.three h3 { font-size: 1rem; border-bottom: 1px solid var(--rule); margin: .4rem 0; padding-bottom: .3rem; }
.three h4 { font-size: .87rem; color: var(--soft); margin: .9rem 0 .2rem; }
.three ul { margin: .2rem 0; padding-left: 1.1rem; }
.slide h2 { border: 0; margin: .2rem 0 .6rem; padding: 0; }
@media (max-width: 60rem) { .three { grid-template-columns: 1fr; gap: .6rem; } }
</style>
</head>
<body class="deck">
<header class="front">
<p class="kicker">Evidence deck <span class="mono">{{REPORT_ID}}</span></p>
<h1>{{DEVICE}}</h1>
<p class="plan">{{PLAN_TITLE}} <span class="mono">{{PLAN_ID}}</span></p>
{{#REVEALED}}<p class="draft" role="note"><strong>{{TEXT}}</strong><span>The run was told to reveal them: facts, transcripts and packets show them as they are.</span></p>{{/REVEALED}}{{#DRAFT}}<p class="draft" role="note"><strong>DRAFT PLAN, not for submission</strong><span>Nobody has yet recorded that this plan was checked against the scheme's document.</span></p>{{/DRAFT}}
<p>{{STATEMENT}}</p>
</header>
<main>
{{#SLIDE}}<section class="slide" aria-labelledby="{{ANCHOR}}-h">
<h2 id="{{ANCHOR}}-h"><span class="chip v-{{CLASS}}"><span aria-hidden="true">{{SYMBOL}}</span> {{WORD}}</span> <span class="mono">{{ID}}</span> {{NAME}}</h2>
<div class="three">
<div>
<h3>Minimum requirement</h3>
<p>{{MINIMUM}}</p>
<p class="small">{{PROVENANCE}}{{#DECLARED}} The maker declares support {{TEXT}}.{{/DECLARED}}</p>
</div>
<div>
<h3>Supporting evidence</h3>
<p>{{EVIDENCE}}</p>
{{#HAS_FILES}}<h4>Recorded in this run</h4>
<ul>{{#FILE}}<li>{{KIND}} <a class="mono" href="{{FOLDER}}/{{SHA}}" title="{{SHA}}">{{SHORT}}</a></li>{{/FILE}}</ul>{{/HAS_FILES}}
{{#MORE_FILES}}<p class="small">{{TEXT}}</p>{{/MORE_FILES}}
{{#HAS_WANTED}}<h4>Still to be attached</h4>
<ul>{{#WANTED}}<li>{{TEXT}}</li>{{/WANTED}}</ul>{{/HAS_WANTED}}
</div>
<div>
<h3>Assessment</h3>
<p>{{ASSESSMENT}}</p>
<h4>What the run shows</h4>
<p>{{BECAUSE}}</p>
{{#HAS_FINDINGS}}<ul>{{#FINDING}}<li>{{TEXT}}</li>{{/FINDING}}</ul>{{/HAS_FINDINGS}}
{{#HAS_OPEN}}<h4>Open</h4>
<ul>{{#OPEN}}<li>{{TEXT}}</li>{{/OPEN}}</ul>{{/HAS_OPEN}}
</div>
</div>
</section>
{{/SLIDE}}
</main>
<footer>
<p>The results relate only to the items tested, in the states and from the places named in the report of this run. The deck is evidence for the clauses it names; it is no statement that a label or a level has been reached.</p>
<p class="end">End of evidence deck <span class="mono">{{REPORT_ID}}</span></p>
</footer>
</body>
</html>
