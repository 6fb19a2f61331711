package peers;

import bench.Work;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Parallel Consumer: items of a key one after another, others at once, committed in transactions.
 */
public final class KeyOrder {
    public static void main(String[] arguments) throws InterruptedException {
        Settings settings = Settings.of(arguments);
        String to = settings.text("to");
        int work = settings.number("work");
        Held held = new Held(settings.number("heldAfter"), settings.number("held"));
        ParallelStreamProcessor<byte[], Work> processor =
                ParallelStreamProcessor.createEosStreamProcessor(options(settings));
        processor.subscribe(List.of(settings.text("from")));
        processor.pollAndProduce(context -> {
            if (work > 0) {
                sleep(work);
            }
            if (held.isThis()) {
                context.value().setSent(Held.SENT);
                sleep(held.millis());
            }
            return new ProducerRecord<>(to, context.key(), context.value());
        });
        CountDownLatch closed = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            processor.closeDontDrainFirst(Duration.ofSeconds(30));
            closed.countDown();
        }));
        closed.await();
    }

    private static ParallelConsumerOptions<byte[], Work> options(Settings settings) {
        return ParallelConsumerOptions.<byte[], Work>builder()
                .ordering(ProcessingOrder.KEY)
                .maxConcurrency(settings.number("threads"))
                .commitMode(CommitMode.PERIODIC_TRANSACTIONAL_PRODUCER)
                .commitInterval(Duration.ofMillis(settings.number("commit")))
                .consumer(consumer(settings))
                .producer(producer(settings))
                .build();
    }

    private static KafkaConsumer<byte[], Work> consumer(Settings settings) {
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, settings.text("servers"));
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, settings.text("group"));
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
        return new KafkaConsumer<>(
                properties, new ByteArrayDeserializer(), Avro.ITEMS.deserializer());
    }

    private static KafkaProducer<byte[], Work> producer(Settings settings) {
        Properties properties = new Properties();
        properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, settings.text("servers"));
        properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, settings.text("group"));
        properties.put(ProducerConfig.BATCH_SIZE_CONFIG, 1_000_000);
        properties.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 64 << 20);
        properties.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), Avro.ITEMS.serializer());
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("stopped while at work", interrupted);
        }
    }

    private KeyOrder() {}
}
