#include "session/session-private.h"

#include <string.h>

#include "core/memory.h"

#define DEFAULT_CONTEXT 4096
#define DEFAULT_CHUNK 512
/* Rows whose logits are computed together: a vocabulary of floats each. */
#define ALL_ROWS 64

static gboolean
check_memory (FacetModel *model, int context, int max_step, FacetKvType type, GError **error)
{
  guint64 need = facet_kv_bytes (model->decoder->kv_layers, model->decoder->n_kv_layers, context, max_step, type);

  return facet_memory_check (need, error, "%s: a context of %d tokens", model->info->path, context);
}

FacetSession *
facet_session_new (FacetModel *model, const FacetSessionParams *params, GError **error)
{
  static const FacetSessionParams usual;
  FacetDecoder *decoder = model->decoder;
  FacetSession *session;
  FacetKvType kv_type;
  int context, chunk, span;

  if (!params)
    params = &usual;
  context = params->context > 0 ? params->context : MIN (decoder->context_length, DEFAULT_CONTEXT);
  if (params->context < 0 || params->chunk < 0 || context > decoder->context_length) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%s: context of %d tokens, the model has %d",
                 model->info->path, params->context, decoder->context_length);
    return NULL;
  }
  /* A picture's rows see each other in both directions: one step holds them all. */
  span = model->projector ? facet_projector_span (model->projector) : 1;
  chunk = params->chunk > 0 ? params->chunk : DEFAULT_CHUNK;
  chunk = MAX (MIN (chunk, context), span);
  kv_type = model->exact ? FACET_KV_F32 : params->kv_type;
  if (!check_memory (model, context, chunk, kv_type, error))
    return NULL;

  session = g_new0 (FacetSession, 1);
  session->model = facet_model_ref (model);
  session->context = context;
  session->max_step = chunk;
  session->all_step = MAX (MIN (ALL_ROWS, chunk), span);
  session->kv_type = kv_type;
  session->logits = g_new (float, decoder->vocab);
  facet_timeline_init (&session->held);
  g_atomic_int_inc (&model->sessions);
  session->watch = params;
  if (!facet_session_prepare (session, error))
    g_clear_pointer (&session, facet_session_free);
  else
    session->watch = NULL;
  return session;
}

void
facet_session_drop_runs (FacetSession *session)
{
  for (int i = 0; i < FACET_N_RUNS; i++) {
    if (session->runs[i].plan)
      session->backend->klass->plan_free (session->runs[i].plan);
    g_clear_pointer (&session->runs[i].graph, facet_graph_free);
    session->runs[i].plan = NULL;
  }
  session->away = NULL;
}

void
facet_session_free (FacetSession *session)
{
  facet_session_drop_runs (session);
  if (session->kv)
    session->backend->klass->kv_free (session->kv);
  g_atomic_int_add (&session->model->sessions, -1);
  facet_timeline_clear (&session->held);
  g_free (session->logits);
  facet_model_unref (session->model);
  g_free (session);
}

int
facet_session_context (FacetSession *session)
{
  return session->context;
}

void
facet_session_set_layer_func (FacetSession *session, FacetLayerFunc func, gpointer user_data)
{
  facet_session_drop_runs (session);
  session->on_layer = func;
  session->layer_data = user_data;
}

/* ---- one step ---- */

FacetRun *
facet_session_get_run (FacetSession *session, FacetRunKind kind, GError **error)
{
  FacetRun *run = &session->runs[kind];
  FacetDecoder *decoder = session->model->decoder;
  FacetBackend *backend = session->backend;
  int rows = kind == FACET_RUN_DECODE ? 1 : kind == FACET_RUN_ALL ? session->all_step : session->max_step;

  if (run->plan)
    return run;
  if (!run->graph)
    run->graph = decoder->build (decoder, session->on_layer ? FACET_BUILD_ALL_ROWS | FACET_BUILD_MARK_LAYERS : FACET_BUILD_NORMAL);
  run->plan = backend->klass->compile (backend, run->graph, session->kv, rows, kind == FACET_RUN_ALL ? rows : 1, error);
  return run->plan ? run : NULL;
}

static void
report_layers (FacetSession *session, FacetRun *run, int rows)
{
  for (int i = 0; i < facet_graph_n_nodes (run->graph); i++) {
    const FacetNode *node = facet_graph_node (run->graph, i);

    if (node->layer != FACET_NOT_A_LAYER)
      session->on_layer (node->layer, session->backend->klass->value (run->plan, i), rows, node->cols, session->layer_data);
  }
}

static GBytes *
encode (FacetProjector *projector, FacetMedia media, FacetCancel *cancel, GError **error)
{
  return media.image ? facet_projector_encode (projector, media.image, media.crop, cancel, error)
                     : facet_projector_encode_audio (projector, media.audio, cancel, error);
}

/* Embeddings of what is not in the text's table in rows from .. to-1, and the
 * ids and reach of each row. */
static gboolean
gather_rows (FacetSession *session, const FacetTimeline *timeline, int from, int to, gint32 *ids, gint32 *visible,
             GArray *soft, FacetCancel *cancel, GError **error)
{
  gsize width = session->model->decoder->width;

  for (int row = from; row < to; row++) {
    const FacetSpan *span;
    g_autoptr (GBytes) encoded = NULL;
    int n;

    ids[row - from] = g_array_index (timeline->ids, gint32, row);
    visible[row - from] = row;
    if (ids[row - from] >= session->model->text_vocab) {
      const float *hard = facet_model_hard_embedding (session->model, ids[row - from], error);

      if (!hard)
        return FALSE;
      ids[row - from] = -1 - (gint32) (soft->len / width);
      g_array_append_vals (soft, hard, (guint) width);
    }
    if (g_array_index (timeline->ids, gint32, row) >= 0)
      continue;
    span = facet_timeline_span (timeline, row);
    encoded = encode (session->model->projector, span->media, cancel, error);
    if (!encoded)
      return FALSE;
    n = MIN (span->start + span->n, to) - row;
    for (int i = 0; i < n; i++) {
      ids[row - from + i] = -1 - (gint32) (soft->len / width) - i;
      visible[row - from + i] = span->media.image ? span->start + span->n - 1 : row + i;
    }
    g_array_append_vals (soft, (const float *) g_bytes_get_data (encoded, NULL) + (row - span->start) * width, n * width);
    row += n - 1;
  }
  return TRUE;
}

static gboolean
run_plan (FacetSession *session, const FacetRun *run, const FacetStep *step, FacetCancel *cancel, GError **error)
{
  return facet_gguf_confirm (session->model->gguf, session->backend->klass->run (run->plan, step, cancel, error), error);
}

/* Runs rows from .. to-1, which follow the rows held. */
static gboolean
run_rows (FacetSession *session, const FacetTimeline *timeline, int from, int to, FacetRunKind kind, int n_outputs, const float **logits,
          FacetCancel *cancel, GError **error)
{
  FacetBackend *backend = session->backend;
  FacetRun *run = facet_session_get_run (session, kind, error);
  g_autoptr (GArray) soft = g_array_new (FALSE, FALSE, sizeof (float));
  int n = to - from;
  g_autofree gint32 *rows = g_new (gint32, 3 * n);
  FacetStep step = { .n = n, .position = from, .ids = rows, .visible = rows + n, .outputs = rows + 2 * n, .n_outputs = n_outputs,
                     .only_best = TRUE };

  if (!run || !gather_rows (session, timeline, from, to, rows, rows + n, soft, cancel, error))
    return FALSE;
  step.soft = (const float *) soft->data;
  step.n_soft = (int) (soft->len / session->model->decoder->width);
  for (int i = 0; i < n_outputs; i++)
    rows[2 * n + i] = n - n_outputs + i;
  facet_timeline_cut (&session->held, from);
  session->written = MAX (session->written, to);
  if (!run_plan (session, run, &step, cancel, error))
    return FALSE;
  facet_timeline_copy (&session->held, timeline, from, to);
  if (session->on_layer)
    report_layers (session, run, n);
  *logits = backend->klass->value (run->plan, facet_graph_result (run->graph));
  return TRUE;
}

/* After a run of one output row; @only_best: as its step said. */
static void
take_logits (FacetSession *session, FacetRun *run, gboolean only_best)
{
  const FacetBackendClass *klass = session->backend->klass;

  session->n_best = only_best && klass->best ? klass->best (run->plan, session->best) : -1;
  session->away = session->n_best >= 0 ? run : NULL;
  if (!session->away)
    memcpy (session->logits, klass->value (run->plan, facet_graph_result (run->graph)), session->model->decoder->vocab * sizeof (float));
}

/* ---- a whole prompt ---- */

gboolean
facet_session_lay_out (FacetSession *session, FacetPrompt *prompt, FacetTimeline *timeline, FacetRendered *rendered, GError **error)
{
  FacetModel *model = session->model;

  if (!facet_prompt_render (prompt, model->tokenizer, model->info->family, model->info->has_chat_template, rendered, error)
      || !facet_timeline_fill (timeline, rendered, model->projector, model->decoder->vocab, error))
    return FALSE;
  for (guint i = 0; i < timeline->ids->len; i++)
    if (g_array_index (timeline->ids, gint32, i) >= model->decoder->vocab) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "token %d is beyond the vocabulary of %d", g_array_index (timeline->ids, gint32, i), model->decoder->vocab);
      return FALSE;
    }
  if (timeline->ids->len == 0)
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "the prompt is empty");
  else if (timeline->ids->len > (guint) session->context)
    g_set_error (error, FACET_ERROR, FACET_ERROR_CONTEXT_FULL, "the prompt takes %u tokens, the context has %d", timeline->ids->len, session->context);
  else {
    if (model->decoder->lookup)
      facet_tensor_prefetch_rows (model->decoder->lookup, (const gint32 *) timeline->ids->data, timeline->ids->len);
    return TRUE;
  }
  return FALSE;
}

/* Sliding layers keep a ring: going back works only as far as the window
 * before @row has not been written over. */
static gboolean
ring_holds (FacetSession *session, int row)
{
  FacetDecoder *decoder = session->model->decoder;

  for (int i = 0; i < decoder->n_kv_layers; i++) {
    const FacetKvLayer *layer = &decoder->kv_layers[i];
    int length = facet_kv_layer_length (layer, session->context, session->max_step);

    if (layer->window > 0 && MAX (0, row - layer->window + 1) < session->written - length)
      return FALSE;
  }
  return TRUE;
}

int
facet_session_reusable (FacetSession *session, const FacetTimeline *timeline, gboolean all)
{
  int common = all || session->on_layer ? 0 : facet_timeline_common (&session->held, timeline);
  const FacetSpan *span;

  common = MIN (common, (int) timeline->ids->len - 1);
  span = common > 0 ? facet_timeline_span (timeline, common) : NULL;
  if (span && span->media.image)
    common = span->start;
  return ring_holds (session, common) ? common : 0;
}

/* Where the step that begins at @row ends: never inside a picture. */
static int
step_end (const FacetTimeline *timeline, int row, int most)
{
  int end = MIN (row + most, (int) timeline->ids->len);
  const FacetSpan *span = end < (int) timeline->ids->len ? facet_timeline_span (timeline, end) : NULL;

  if (!span || span->start == end || span->media.audio)
    return end;
  return span->start > row ? span->start : span->start + span->n;
}

static gboolean
compute_rows (FacetSession        *session,
              const FacetTimeline *timeline,
              FacetRowsFunc        on_rows,
              gpointer             rows_data,
              FacetProgress        on_progress,
              gpointer             progress_data,
              FacetCancel         *cancel,
              GError             **error)
{
  int n = timeline->ids->len;
  int row = facet_session_reusable (session, timeline, on_rows != NULL);

  if (row == 0)
    session->written = 0;
  while (row < n) {
    int end = step_end (timeline, row, on_rows ? session->all_step : session->max_step);
    int outputs = on_rows ? end - row : end == n ? 1 : 0;
    const float *logits;

    if (on_progress)
      on_progress (FACET_PHASE_PREFILL, row, n, progress_data);
    if (!run_rows (session, timeline, row, end, on_rows ? FACET_RUN_ALL : FACET_RUN_PREFILL, outputs, &logits, cancel, error))
      return FALSE;
    if (on_rows)
      on_rows (row, end - row, logits, rows_data);
    else if (end == n)
      take_logits (session, &session->runs[FACET_RUN_PREFILL], TRUE);
    row = end;
  }
  return TRUE;
}

gboolean
facet_session_sync (FacetSession        *session,
                    const FacetTimeline *timeline,
                    FacetRowsFunc        on_rows,
                    gpointer             rows_data,
                    FacetProgress        on_progress,
                    gpointer             progress_data,
                    FacetCancel         *cancel,
                    GError             **error)
{
  FacetProjector *projector = session->model->projector;
  GError *failure = NULL;
  gboolean done;

  if (projector)
    facet_projector_set_progress (projector, on_progress, progress_data);
  /* Rows that were handed over cannot be taken back. */
  while (!(done = facet_session_take_backend (session, &failure)
                  && compute_rows (session, timeline, on_rows, rows_data, on_progress, progress_data, cancel, &failure))
         && !on_rows && facet_session_recover (session, &failure, error))
    ;
  if (failure)
    g_propagate_error (error, failure);
  if (projector)
    facet_projector_set_progress (projector, NULL, NULL);
  return done;
}

static gboolean
step_once (FacetSession *session, gint32 id, gboolean whole, FacetCancel *cancel, GError **error)
{
  int row = session->held.ids->len;
  FacetStep step = { .n = 1, .position = row, .ids = &id, .outputs = (const gint32[]) { 0 }, .n_outputs = 1, .only_best = !whole };
  FacetRun *run = facet_session_get_run (session, FACET_RUN_DECODE, error);

  if (!run)
    return FALSE;
  session->written = MAX (session->written, row + 1);
  if (!run_plan (session, run, &step, cancel, error))
    return FALSE;
  g_array_append_val (session->held.ids, id);
  if (session->on_layer)
    report_layers (session, run, 1);
  take_logits (session, run, step.only_best);
  return TRUE;
}

gboolean
facet_session_step (FacetSession *session, gint32 id, gboolean whole, FacetCancel *cancel, GError **error)
{
  g_auto (FacetTimeline) rows = { NULL };
  GError *failure = NULL;

  if (session->backend == session->model->backend && step_once (session, id, whole, cancel, &failure))
    return TRUE;
  facet_timeline_init (&rows);
  facet_timeline_copy (&rows, &session->held, 0, (int) session->held.ids->len);
  g_array_append_val (rows.ids, id);
  if (failure && !facet_session_recover (session, &failure, error))
    return FALSE;
  return facet_session_sync (session, &rows, NULL, NULL, NULL, NULL, cancel, error);
}

gboolean
facet_session_read_logits (FacetSession *session, FacetCancel *cancel, GError **error)
{
  while (session->away) {
    const FacetBackendClass *klass = session->backend->klass;
    FacetRun *run = session->away;
    g_auto (FacetTimeline) rows = { NULL };
    GError *failure = NULL;

    if (klass->fetch (run->plan, &failure)) {
      memcpy (session->logits, klass->value (run->plan, facet_graph_result (run->graph)), session->model->decoder->vocab * sizeof (float));
      session->away = NULL;
      return TRUE;
    }
    facet_timeline_init (&rows);
    facet_timeline_copy (&rows, &session->held, 0, (int) session->held.ids->len);
    if (!facet_session_recover (session, &failure, error) || !facet_session_sync (session, &rows, NULL, NULL, NULL, NULL, cancel, error))
      return FALSE;
  }
  return TRUE;
}

/* The same as a prompt to be computed, whether or not it fits. */
static gboolean
lay_out_any (FacetSession *session, FacetPrompt *prompt, FacetTimeline *timeline, GError **error)
{
  FacetModel *model = session->model;
  g_auto (FacetRendered) rendered = { NULL };

  return facet_prompt_render (prompt, model->tokenizer, model->info->family, model->info->has_chat_template, &rendered, error)
         && facet_timeline_fill (timeline, &rendered, model->projector, model->decoder->vocab, error);
}

int
facet_session_count (FacetSession *session, FacetPrompt *prompt, int *cached, GError **error)
{
  g_auto (FacetTimeline) timeline = { NULL };

  facet_timeline_init (&timeline);
  if (!lay_out_any (session, prompt, &timeline, error))
    return -1;
  if (cached)
    *cached = timeline.ids->len ? facet_session_reusable (session, &timeline, FALSE) : 0;
  return timeline.ids->len;
}

int
facet_session_count_crops (FacetSession *session, FacetPrompt *prompt, int *tokens, GError **error)
{
  g_auto (FacetTimeline) timeline = { NULL };

  facet_timeline_init (&timeline);
  return lay_out_any (session, prompt, &timeline, error) ? facet_timeline_crops (&timeline, tokens) : -1;
}
