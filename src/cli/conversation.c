#include "conversation.h"

#include "media.h"
#include "report.h"

typedef struct {
  FacetRole role;
  char     *text;
  GPtrArray *images; /* NULL: none */
  GPtrArray *sounds;
} Turn;

struct Conversation {
  ConversationParams params;
  FacetSession      *session;
  GPtrArray         *turns; /* of Turn */
  GPtrArray         *images, *sounds; /* of the next turn; NULL: none */
};

static void
turn_free (gpointer data)
{
  Turn *turn = data;

  g_free (turn->text);
  g_clear_pointer (&turn->images, g_ptr_array_unref);
  g_clear_pointer (&turn->sounds, g_ptr_array_unref);
  g_free (turn);
}

static void
add_turn (Conversation *conversation, FacetRole role, const char *text)
{
  Turn *turn = g_new (Turn, 1);

  *turn = (Turn){ .role = role, .text = g_strdup (text) };
  if (role == FACET_ROLE_USER) {
    turn->images = g_steal_pointer (&conversation->images);
    turn->sounds = g_steal_pointer (&conversation->sounds);
  }
  g_ptr_array_add (conversation->turns, turn);
}

Conversation *
conversation_new (FacetModel *model, const ConversationParams *params, GError **error)
{
  FacetSessionParams session_params = { .context = params->context, .kv_type = params->kv_type };
  FacetSession *session = facet_session_new (model, &session_params, error);
  Conversation *conversation;

  if (session == NULL)
    return NULL;
  conversation = g_new0 (Conversation, 1);
  conversation->params = *params;
  conversation->session = session;
  conversation->turns = g_ptr_array_new_with_free_func (turn_free);
  return conversation;
}

void
conversation_free (Conversation *conversation)
{
  facet_session_free (conversation->session);
  g_ptr_array_unref (conversation->turns);
  g_clear_pointer (&conversation->images, g_ptr_array_unref);
  g_clear_pointer (&conversation->sounds, g_ptr_array_unref);
  g_free (conversation);
}

static FacetPrompt *
make_prompt (const Conversation *conversation)
{
  FacetPrompt *prompt = facet_prompt_new (conversation->params.how);

  facet_prompt_set_pan_and_scan (prompt, conversation->params.pan_and_scan);
  if (conversation->params.system != NULL) {
    facet_prompt_begin_turn (prompt, FACET_ROLE_SYSTEM);
    facet_prompt_add_text (prompt, conversation->params.system, -1);
  }
  for (guint i = 0; i < conversation->turns->len; i++) {
    const Turn *turn = g_ptr_array_index (conversation->turns, i);

    facet_prompt_begin_turn (prompt, turn->role);
    media_add_text (prompt, turn->text, turn->images, turn->sounds);
  }
  return prompt;
}

void
conversation_show (Conversation *conversation, GPtrArray *images, GPtrArray *sounds)
{
  g_clear_pointer (&conversation->images, g_ptr_array_unref);
  g_clear_pointer (&conversation->sounds, g_ptr_array_unref);
  conversation->images = g_ptr_array_ref (images);
  conversation->sounds = g_ptr_array_ref (sounds);
}

gboolean
conversation_ask (Conversation *conversation, const char *text, FacetReply *reply, GError **error)
{
  const ConversationParams *params = &conversation->params;
  FacetReplyParams reply_params = {
    .sampling = params->sampling,
    .max_tokens = params->max_tokens,
    .stop_strings = params->stop_strings,
    .on_text = params->on_text,
    .on_progress = report_progress,
    .user_data = params->user_data,
    .cancel = params->cancel,
  };
  g_autoptr (FacetPrompt) prompt = NULL;
  gboolean answered;

  add_turn (conversation, FACET_ROLE_USER, text);
  prompt = make_prompt (conversation);
  answered = facet_session_reply (conversation->session, prompt, &reply_params, reply, error);
  report_progress_end ();
  if (answered && reply->text[0] != '\0')
    add_turn (conversation, FACET_ROLE_MODEL, reply->text);
  else
    g_ptr_array_remove_index (conversation->turns, conversation->turns->len - 1);
  return answered;
}

void
conversation_clear (Conversation *conversation)
{
  g_ptr_array_set_size (conversation->turns, 0);
}

int
conversation_context (Conversation *conversation)
{
  return facet_session_context (conversation->session);
}
