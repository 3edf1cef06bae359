{{%AUTOESCAPE context="HTML"}}<section class="unit edge-{{CLASS}}">
<h5><span class="chip v-{{CLASS}}"><span aria-hidden="true">{{SYMBOL}}</span> {{WORD}}</span> Unit {{LABEL}}: {{NAME}}{{#PROPOSED}} <span class="tag">pass proposed, an assessor decides</span>{{/PROPOSED}}{{#OVERRIDDEN}} <span class="tag">in place of the machine's verdict</span>{{/OVERRIDDEN}}</h5>
{{#BECAUSE}}<p>{{TEXT}}</p>{{/BECAUSE}}
{{#PERSON}}
<div class="person">
<p><strong>{{WORD}}</strong> by {{AUTHOR}}, {{TIME}}, event {{EVENT}}: {{RATIONALE}}</p>
{{#STANDING}}<p class="missing">{{TEXT}}</p>{{/STANDING}}
<p class="small">The machine by itself: {{MACHINE}}, {{MACHINE_BECAUSE}}. Reviewed by {{REVIEWER}}{{#COMMENT}}: {{TEXT}}{{/COMMENT}}.{{#FILE}} <a class="mono" href="{{FOLDER}}/{{SHA}}" title="{{SHA}}">{{SHORT}}</a> {{KIND}}{{/FILE}}</p>
</div>
{{/PERSON}}
{{#FINDINGS}}
<div class="scroll">
<table class="{{SHAPE}}">
<caption>{{CAPTION}}</caption>
<thead><tr><th scope="col">What</th><th scope="col">Endpoint</th>{{#VALUES}}<th scope="col">Expected</th><th scope="col">Observed</th>{{/VALUES}}<th scope="col">Evidence</th></tr></thead>
<tbody>
{{#FINDING}}<tr>
<th scope="row">{{WHAT}}</th>
<td class="mono">{{ENDPOINT}}</td>
{{#VALUES}}<td>{{EXPECTED}}</td>
<td class="observed">{{OBSERVED}}</td>{{/VALUES}}
<td>{{#FILE}}<div><a class="mono" href="{{FOLDER}}/{{SHA}}" title="{{SHA}}">{{SHORT}}</a> <span class="small">{{KIND}}</span></div>{{/FILE}}{{#MISSING_FILE}}<div class="missing">{{TEXT}}: not in this bundle</div>{{/MISSING_FILE}}{{#SEEN}}<div><a href="#{{ANCHOR}}">observation {{ID}}</a></div>{{/SEEN}}{{#UNSEEN}}<div class="missing">observation {{TEXT}}: not in this bundle</div>{{/UNSEEN}}{{#NO_EVIDENCE}}{{TEXT}}{{/NO_EVIDENCE}}</td>
</tr>
{{/FINDING}}</tbody>
</table>
</div>
{{/FINDINGS}}
{{#REMEDY}}<p class="remedy"><strong>What to do</strong> {{TEXT}}</p>{{/REMEDY}}
{{#MANUAL}}
<div class="manual">
<p class="manual-title">Guided step for an assessor</p>
<ol>
<li><strong>Answer:</strong> {{QUESTION}}</li>
{{#LOOK_AT}}<li><strong>Look at:</strong> {{TEXT}}</li>{{/LOOK_AT}}
<li><strong>Decide:</strong>
<dl class="list">
{{#PASS}}<dt>✓ PASS</dt><dd>{{TEXT}}</dd>{{/PASS}}
{{#FAIL}}<dt>✗ FAIL</dt><dd>{{TEXT}}</dd>{{/FAIL}}
{{#INCONCLUSIVE}}<dt>? INCONCLUSIVE</dt><dd>{{TEXT}}</dd>{{/INCONCLUSIVE}}
</dl></li>
{{#ATTACH}}<li><strong>Attach:</strong> {{TEXT}}</li>{{/ATTACH}}
</ol>
</div>
{{/MANUAL}}
{{#JUDGED_ON}}<p class="small">Judged on {{#LINK}}<a href="#{{ANCHOR}}">{{ID}}</a>{{#LINK_separator}}, {{/LINK_separator}}{{/LINK}}.</p>{{/JUDGED_ON}}
</section>
