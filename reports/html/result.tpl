{{%AUTOESCAPE context="HTML"}}<section id="result" aria-labelledby="h-result">
<h2 id="h-result">1 <span class="h">Result</span></h2>
<p class="statement">{{STATEMENT}}</p>
{{#STILL_OPEN}}<p class="note" role="note"><strong>The run is still open.</strong> {{TEXT}}</p>{{/STILL_OPEN}}
{{#COUNTS}}
<div class="bar" aria-hidden="true">{{#PART}}<span class="v-{{CLASS}}" style="flex-grow: {{COUNT}}"></span>{{/PART}}</div>
<ul class="counts">
{{#COUNT_ITEM}}<li><span class="n">{{COUNT}}</span> <span class="sym v-{{CLASS}}" aria-hidden="true">{{SYMBOL}}</span> {{WORDS}}</li>
{{/COUNT_ITEM}}</ul>
{{#MACHINE}}<p class="small">{{TEXT}}</p>{{/MACHINE}}
{{/COUNTS}}
<div class="scroll">
<table class="summary">
<caption>Every requirement of the plan</caption>
<thead><tr><th scope="col">Verdict</th><th scope="col">Requirement</th><th scope="col">Why</th><th scope="col">What to do</th></tr></thead>
<tbody>
{{#ROW}}<tr>
<td><span class="chip v-{{CLASS}}"><span aria-hidden="true">{{SYMBOL}}</span> {{WORD}}</span></td>
<th scope="row"><a href="#{{ANCHOR}}">{{SHORT_ID}}</a> {{NAME}}{{#MODALITY}}<span class="tag">{{TEXT}}</span>{{/MODALITY}}</th>
<td>{{BECAUSE}}</td>
<td>{{#REMEDY}}<p>{{TEXT}}</p>{{/REMEDY}}</td>
</tr>
{{/ROW}}</tbody>
</table>
</div>
<p class="small">Remedies are advice, not results. FAIL is about the device; INCONCLUSIVE and NOT_TESTED say that something is missing; ERROR is a fault of the harness. Requirements are those of <span class="mono">{{STANDARD}}</span>, examined with the cases of <span class="mono">{{METHOD}}</span>.</p>
</section>
{{#OPEN}}
<section id="open" aria-labelledby="h-open">
<h2 id="h-open">2 <span class="h">What would close what is open</span></h2>
{{#NOTHING}}<p>{{TEXT}}</p>{{/NOTHING}}
{{#LIST}}
<div class="scroll">
<table>
<caption>Open requirements, what is missing and what settles it</caption>
<thead><tr><th scope="col">Requirement</th><th scope="col">What is missing</th><th scope="col">What would close it</th><th scope="col">Units</th></tr></thead>
<tbody>
{{#ITEM}}<tr><th scope="row"><a href="#{{ANCHOR}}">{{SHORT_ID}}</a></th><td>{{WHAT}}</td><td class="prose">{{CLOSES}}</td><td class="units">{{UNITS}}</td></tr>
{{/ITEM}}</tbody>
</table>
</div>
{{/LIST}}
</section>
{{/OPEN}}
