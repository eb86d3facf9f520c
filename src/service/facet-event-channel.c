#define G_LOG_DOMAIN "facet"

#include "facet-event-channel.h"

/* Above GTK's redraw (G_PRIORITY_HIGH_IDLE + 20): where painting in software
 * takes longer than a frame, something that moves (a spinner) would keep a
 * source below it waiting for ever. One dispatch per frame starves nobody. */
#define CHANNEL_PRIORITY G_PRIORITY_HIGH_IDLE
#define FRAME_USEC (G_USEC_PER_SEC / 60)

typedef struct {
  GSource            source;
  FacetEventChannel *channel;
} ChannelSource;

struct FacetEventChannel {
  FacetEventFunc func;
  gpointer       user_data;
  GSource       *source;

  /* under the lock */
  GMutex   lock;
  GQueue   events;
  gint64   last_dispatch;
  gboolean scheduled;
};

FacetEvent *
facet_event_new (FacetEventKind kind, guint64 job)
{
  FacetEvent *event = g_new0 (FacetEvent, 1);

  event->kind = kind;
  event->job = job;
  return event;
}

void
facet_event_free (FacetEvent *event)
{
  facet_loaded_clear (&event->loaded);
  facet_reply_summary_clear (&event->summary);
  g_clear_error (&event->error);
  if (event->text != NULL)
    g_string_free (event->text, TRUE);
  g_free (event);
}

static gboolean
channel_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  FacetEventChannel *channel = ((ChannelSource *) source)->channel;
  GQueue batch = G_QUEUE_INIT;
  FacetEvent *event;

  g_mutex_lock (&channel->lock);
  batch = channel->events;
  g_queue_init (&channel->events);
  channel->last_dispatch = g_get_monotonic_time ();
  channel->scheduled = FALSE;
  g_source_set_ready_time (source, -1);
  g_mutex_unlock (&channel->lock);

  while ((event = g_queue_pop_head (&batch)) != NULL) {
    /* a callback may have closed the channel by dropping the service */
    if (!g_source_is_destroyed (source))
      channel->func (event, channel->user_data);
    facet_event_free (event);
  }
  return G_SOURCE_CONTINUE;
}

static void
channel_finalize (GSource *source)
{
  FacetEventChannel *channel = ((ChannelSource *) source)->channel;

  g_queue_clear_full (&channel->events, (GDestroyNotify) facet_event_free);
  g_mutex_clear (&channel->lock);
  g_free (channel);
}

static GSourceFuncs channel_funcs = {
  .dispatch = channel_dispatch,
  .finalize = channel_finalize,
};

FacetEventChannel *
facet_event_channel_new (FacetEventFunc func, gpointer user_data)
{
  FacetEventChannel *channel = g_new0 (FacetEventChannel, 1);

  channel->func = func;
  channel->user_data = user_data;
  g_mutex_init (&channel->lock);
  g_queue_init (&channel->events);
  channel->source = g_source_new (&channel_funcs, sizeof (ChannelSource));
  ((ChannelSource *) channel->source)->channel = channel;
  g_source_set_priority (channel->source, CHANNEL_PRIORITY);
  g_source_set_static_name (channel->source, "facet engine events");
  g_source_set_ready_time (channel->source, -1);
  g_source_attach (channel->source, NULL);
  return channel;
}

void
facet_event_channel_close (FacetEventChannel *channel)
{
  GSource *source = channel->source;

  g_source_destroy (source);
  g_source_unref (source);
}

static gboolean
merge_event (FacetEvent *last, FacetEvent *event)
{
  if (last == NULL || last->job != event->job || last->kind != event->kind)
    return FALSE;

  switch (event->kind) {
  case FACET_EVENT_TEXT:
  case FACET_EVENT_THOUGHT:
    g_string_append_len (last->text, event->text->str, event->text->len);
    return TRUE;

  case FACET_EVENT_PROGRESS:
    last->phase = event->phase;
    last->done = event->done;
    last->total = event->total;
    return TRUE;

  default:
    return FALSE;
  }
}

void
facet_event_channel_post (FacetEventChannel *channel, FacetEvent *event)
{
  g_mutex_lock (&channel->lock);
  if (merge_event (g_queue_peek_tail (&channel->events), event))
    facet_event_free (event);
  else
    g_queue_push_tail (&channel->events, event);
  if (!channel->scheduled) {
    channel->scheduled = TRUE;
    g_source_set_ready_time (channel->source, channel->last_dispatch + FRAME_USEC);
  }
  g_mutex_unlock (&channel->lock);
}
